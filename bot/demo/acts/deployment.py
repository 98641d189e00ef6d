"""A deployment: another system says no, and everything done so far is undone."""

from bot.demo.hooks.callbacks import Answered
from bot.demo.people import DESK, ROOM
from bot.demo.scene import Scene
from bot.demo.table import Claim, Report, demand
from bot.demo.trees import strings

COMMENT = "The smoke test never logs in."
REPORT = "Went back to the start: 3 of 3 undone."
UNDONE = ["removed test orders", "took down", "migrated back"]


async def play(scene: Scene, report: Report) -> None:
    """The release desk rejects by a signed callback, which then arrives a second time."""
    callbacks = scene.world.hooks.callbacks
    first: list[Answered] = []
    with report.showing(Claim.PLANNED) as proof:
        await _planned(scene, proof)
    with report.showing(Claim.REJECTED) as proof:
        opened = await scene.event(scene.deployment, "approval.opened")
        answered = await callbacks.answer(opened, "reject", COMMENT)
        first.append(answered)
        demand(answered.status == 200, f"It was answered with {answered.status}.")
        seen = await scene.api.decided(scene.deployment.approval)
        demand(seen.status == "rejected", f"It is {seen.status}.")
        voters = [(vote.person, vote.channel) for vote in seen.votes]
        demand(voters == [(DESK, "webhook")], f"The votes are {voters}.")
        proof.append(f"answered 200: “{answered.json.get('message')}”")
    with report.showing(Claim.UNDONE) as proof:
        await scene.event(scene.deployment, "run.rolled_back")
        told = [done.what for done in scene.stage.done if "release" in done.facts]
        demand(told[3:] == UNDONE, f"The ledger says: {told}.")
        proof.append(", ".join(UNDONE))
    with report.showing(Claim.REPORTED) as proof:
        await _reported(scene, proof)
    with report.showing(Claim.CALLED_TWICE) as proof:
        demand(first, "It never arrived a first time.")
        async with scene.unchanged(scene.deployment):
            again = await callbacks.send(first[0].sent)
        proof.append(f"answered {again.status}, and no entry in the journal")


async def _planned(scene: Scene, proof: list[str]) -> None:
    """The other system and everybody in the room see it before anybody votes."""
    opened = await scene.event(scene.deployment, "approval.opened")
    planned = list(strings(opened.approval.get("undoes")))
    demand(len(planned) == len(UNDONE), f"The plan says: {planned}.")
    card = await scene.card(scene.deployment)
    unsaid = [step for step in planned if f"• {step}" not in card.words]
    demand(not unsaid, f"The card in {ROOM} does not say that {unsaid} would be undone.")
    proof.append(f"1. {planned[0]}, 2. {planned[1]}, 3. {planned[2]}, back to the start")


async def _reported(scene: Scene, proof: list[str]) -> None:
    """The other system hears it, and the card that showed the plan shows it."""
    ended = await scene.event(scene.deployment, "run.rolled_back")
    lines = list(strings(ended.approval.get("report")))
    demand(lines[:1] == [REPORT], f"The report says: {lines}.")
    card = await scene.card(scene.deployment)
    await scene.world.slack.until(lambda: card if REPORT in card.words else None)
    proof.append(f"“{lines[0]}”, {'; '.join(lines[1:])}")
