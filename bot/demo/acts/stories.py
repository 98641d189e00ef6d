"""Four stories of people who change what is asked, fill it in, or have it mended: what was done is what they said."""

from decimal import Decimal

from bot.demo.browser import Browser
from bot.demo.hooks.callbacks import Answered
from bot.demo.people import ANA, BO, CHEN, DANA
from bot.demo.scene import Asked, Scene, asked, asked_next
from bot.demo.slack.messages import Message
from bot.demo.slack.views import View
from bot.demo.table import Claim, Report, demand

MISSING = "The database migration is missing."
COUNT = "signoff:field:0"  # the one input of the window


async def play(scene: Scene, report: Report) -> None:
    """Ten pizzas for a hundred, half a trade, a release for one in ten, and one that is mended."""
    with report.showing(Claim.FEWER) as proof:
        await _lunch(scene, proof)
    with report.showing(Claim.HALVED) as proof:
        await _trade(scene, proof)
    with report.showing(Claim.FILLED) as proof:
        await _rollout(scene, proof)
    with report.showing(Claim.MENDED) as proof:
        await _release(scene, proof)


async def _lunch(scene: Scene, proof: list[str]) -> None:
    """Chen changes a hundred pizzas to ten in a window in Slack."""
    slack = scene.world.slack
    lunch = await asked(
        scene.stage, "order_lunch", {"people": 10, "count": 100, "each": "12.00 USD"}
    )
    await slack.people.press(CHEN.user, await scene.card(lunch), "Change…")

    def window() -> View | None:
        view = slack.space.views.top(CHEN.user)
        return view if view is not None and COUNT in str(view.content) else None

    await slack.until(window)
    sent = await slack.people.submit(CHEN.user, {COUNT: "10"})
    demand(sent.accepted, f"Slack says: {dict(sent.errors)}")
    await scene.event(lunch, "run.completed")
    told = [done.facts for done in scene.stage.done if done.what == "spent on pizzas"]
    demand(told == [{"count": 10, "spent": "120.00 USD"}], f"The till says: {told}.")
    saved = Decimal("12.00") * 100 - Decimal("120.00")
    proof.append(f"120.00 USD really spent on 10, {saved} USD saved")


async def _trade(scene: Scene, proof: list[str]) -> None:
    """Ana halves it on the page behind her mail's link; Bo agrees to exactly that in Slack."""
    trade = await asked(scene.stage, "buy_shares", {"shares": 1000, "price": "50.00 USD"})
    async with Browser() as browser:
        mail = await scene.mail(trade, ANA)
        page = await browser.open(next(link for link in mail.links() if "=approve" in link))
        demand("asked: 1000" in page.words, "The page does not say what was asked.")
        answer = await browser.submit(page, {"choice": "approve", "changes.shares": "500"})
        demand(answer.status == 200, f"She was told {answer.status}: {answer.words[:300]}")
    await scene.world.slack.people.press(BO.user, await _proposed(scene, trade), "Approve so")
    await scene.event(trade, "run.completed")
    seen = await scene.api.approval(trade.approval)
    told = [done.line for done in scene.stage.done if done.what in {"bought", "lost by the fall"}]
    demand(seen.decision and seen.decision.changes == {"shares": 500}, "It was not changed.")
    expected = ["bought, 500, 25000.00 USD", "lost by the fall, 5000.00 USD"]
    demand(told == expected, f"The ledger says: {told}.")
    proof.append("500 bought; a fall of 20 % costs 5000.00 USD, not 10000.00")


async def _proposed(scene: Scene, trade: Asked) -> Message:
    """The card in the room once it shows what Ana would change."""
    slack = scene.world.slack
    card = await scene.card(trade)

    def shown() -> Message | None:
        return card if "shares: 1000 → 500" in card.words else None

    return await slack.until(shown)


async def _rollout(scene: Scene, proof: list[str]) -> None:
    """Dana says on the page behind her mail's link who gets it; an answer that is none is refused."""
    rollout = await asked(scene.stage, "deploy_release", {"release": "4.3"})
    async with Browser() as browser:
        mail = await scene.mail(rollout, DANA)
        link = next(link for link in mail.links() if "=approve" in link)
        filled = {"choice": "approve", "form.share": "nobody"}
        refused = await browser.submit(await browser.open(link), filled)
        demand("Who gets it" in refused.words, f"She was told: {refused.words[:300]}")
        seen = await scene.api.approval(rollout.approval)
        demand(seen.is_open and not seen.votes, "An answer that is none was taken.")
        filled["form.share"] = "one in ten"
        answer = await browser.submit(await browser.open(link), filled)
        demand(answer.status == 200, f"She was told {answer.status}: {answer.words[:300]}")
    await scene.event(rollout, "run.completed")
    told = [done.line for done in scene.stage.done if done.what == "switched over"]
    demand(told == ["switched over, 4.3, one in ten"], f"The ledger says: {told}.")
    proof.append(f"“nobody” was refused; then {told[0]}")


async def _release(scene: Scene, proof: list[str]) -> None:
    """The desk rejects, all is undone, the same run adds the migration, and the second review passes."""
    first = await asked(scene.stage, "ship_build", {"build": "7"})
    await _answered(scene, first, "reject", MISSING)
    second = await asked_next(scene.stage, first)
    demand(MISSING in str((await scene.api.approval(second.approval)).details), "Nobody was heard.")
    await _answered(scene, second, "approve", "The migration is there.")
    await scene.event(second, "run.completed")
    told = [done.what for done in scene.stage.done if "build" in done.facts]
    undone, mended = ["brought up", "brought down"], ["applied migration", "brought up", "shipped"]
    demand(told == [*undone, *mended], f"The ledger says: {told}.")
    proof.append(f"“{MISSING}” {', '.join(undone)}; then {', '.join(mended)}")


async def _answered(scene: Scene, which: Asked, choice: str, comment: str) -> Answered:
    opened = await scene.event(which, "approval.opened")
    answered = await scene.world.hooks.callbacks.answer(opened, choice, comment)
    demand(answered.status == 200, f"It was answered with {answered.status}.")
    return answered
