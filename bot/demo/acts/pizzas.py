"""An agent's order of pizza: nobody answers, and the deadline acts."""

from bot.demo.scene import Scene
from bot.demo.table import Claim, Report, demand


async def play(scene: Scene, report: Report) -> None:
    """Wait for the deadline, and see that the run gave back what it had reserved."""
    with report.showing(Claim.EXPIRED) as proof:
        seen = await scene.api.decided(scene.pizzas.approval)
        demand(seen.status == "expired", f"It is {seen.status}.")
        demand(not seen.votes, "Somebody voted.")
        if seen.opened_at and seen.decision:
            waited = seen.decision.at - seen.opened_at
            proof.append(f"expired after {waited.total_seconds():.0f} s")
    with report.showing(Claim.ROLLED_BACK) as proof:
        await scene.event(scene.pizzas, "run.rolled_back")
        run = await scene.api.run(scene.pizzas.run)
        told = [done.what for done in scene.stage.done if "pizzas" in done.facts]
        demand(run.status == "rolled_back", f"The run is {run.status}.")
        demand(told == ["reserved ovens", "released ovens"], f"The ledger says: {told}.")
        proof.append(", ".join(told))
