"""The plug is pulled while approvals wait, and the server is started again."""

from bot.demo.people import ANA
from bot.demo.scene import Scene
from bot.demo.table import Claim, Report, demand

KILLED = -9


async def play(scene: Scene, report: Report) -> None:
    """Kill it, start it, and see that both approvals wait as before, with the vote there was."""
    waiting = (scene.refund, scene.deployment)
    with report.showing(Claim.KILLED) as proof:
        before = [await scene.api.approval(asked.approval) for asked in waiting]
        async with scene.unchanged(*waiting):
            code = await scene.stage.server.kill()
            await scene.stage.server.start()
        after = [await scene.api.approval(asked.approval) for asked in waiting]
        demand(code == KILLED, f"It ended with {code}.")
        demand(all(seen.is_open for seen in before + after), "They do not wait any more.")
        demand([seen.votes for seen in before] == [seen.votes for seen in after], "Votes differ.")
        kept = [vote.person for vote in after[0].votes]
        demand(kept == [ANA.id], f"The refund's votes are {kept}.")
        proof.append(f"ended with {code}; both still wait, and Ana's vote is there")
