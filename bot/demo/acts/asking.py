"""Everybody who should be asked is asked, in each medium."""

from bot.demo.people import DESK, FINANCE, RELEASE, ROOM
from bot.demo.scene import Scene
from bot.demo.slack.messages import Message
from bot.demo.table import Claim, Report

PERSONAL = 2 * len(FINANCE) + len(RELEASE)  # the refund and the pizzas go to finance


async def play(scene: Scene, report: Report) -> None:
    """Wait until every card, mail and webhook is there."""
    with report.showing(Claim.ASKED) as proof:
        slack, mailbox = scene.world.slack, scene.world.mail.mailbox

        def cards() -> list[Message] | None:
            found = [one for one in slack.messages() if one.blocks and one.thread_ts is None]
            return found if len(found) >= PERSONAL + len(scene.all) else None

        posted = await slack.until(cards)
        await mailbox.arrival(number=PERSONAL)
        proof.append(f"{len(posted)} cards in {ROOM} and direct messages")
        proof.append(f"{len(mailbox.messages())} mails")
        proof.append(f"{len(scene.world.hooks.received('approval.opened'))} webhooks to {DESK}")
