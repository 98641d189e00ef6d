"""A refund: one approval by a Slack button, one by a mail's link, and paid once."""

import asyncio

from bot.demo.browser import Browser, Page
from bot.demo.people import ANA, BO
from bot.demo.scene import Scene
from bot.demo.table import Claim, Report, demand


async def press(scene: Scene, report: Report) -> None:
    """Ana approves in Slack, twice by accident, and the network repeats it."""
    slack = scene.world.slack
    with report.showing(Claim.DOUBLE) as proof:
        card = await scene.card(scene.refund)
        async with asyncio.TaskGroup() as both:
            for _ in range(2):
                both.create_task(slack.people.press(ANA.user, card, "Approve"))
        told = await slack.until(
            lambda: found if len(found := slack.whispers(ANA.user)) == 2 else None
        )
        seen = await scene.api.approval(scene.refund.approval)
        voters = [vote.person for vote in seen.votes if vote.counted]
        demand(voters == [ANA.id], f"The votes are {voters}.")
        demand(seen.progress and seen.progress.approve.have == 1, "The progress is not 1 of 2.")
        proof.append(f"told: {' and '.join(f'“{whisper.text}”' for whisper in told)}")
    with report.showing(Claim.REPLAYED) as proof:
        async with scene.unchanged(scene.refund):
            heard = await slack.line.send(slack.line.sent[-1])
        demand(heard.status in {200, 401, 409}, f"It was answered with {heard.status}.")
        proof.append(f"answered {heard.status}, and no entry in the journal")


async def follow_link(scene: Scene, report: Report) -> None:
    """Bo opens the link in his mail and presses the page's button, then goes back and presses again."""
    pages: list[Page] = []
    async with Browser() as browser:
        with report.showing(Claim.APPROVED) as proof:
            mail = await scene.mail(scene.refund, BO)
            page = await browser.open(next(link for link in mail.links() if "=approve" in link))
            pages.append(page)
            answer = await browser.submit(page, {"choice": "approve"})
            demand(answer.status == 200, f"He was told {answer.status}: {answer.words[:300]}")
            seen = await scene.api.decided(scene.refund.approval)
            by = sorted((vote.person, vote.channel) for vote in seen.votes if vote.counted)
            demand(seen.status == "approved", f"It is {seen.status}.")
            demand(by == [(ANA.id, "slack"), (BO.id, "email")], f"The votes are {by}.")
            proof.append("approved by Ana in Slack and Bo by email")
        with report.showing(Claim.PAID) as proof:
            await scene.event(scene.refund, "run.completed")
            _demand_paid_once(scene)
            proof.append("one payment in the ledger")
        with report.showing(Claim.USED) as proof:
            demand(pages, "He never had the page.")
            async with scene.unchanged(scene.refund):
                again = await browser.submit(pages[0], {"choice": "approve"})
            demand("already" in again.words, f"The page says: {again.words[:300]}")
            _demand_paid_once(scene)
            proof.append("the page says that it is decided already, and nothing more was paid")


def _demand_paid_once(scene: Scene) -> None:
    paid = [done.line for done in scene.stage.done if done.what == "paid back"]
    demand(len(paid) == 1, f"The ledger says: {paid}.")
