"""What is left when all is over: no live button, everybody told, and journals that verify."""

from email.message import EmailMessage

from bot.demo.mail.mailbox import Mail
from bot.demo.scene import LIVE, Scene
from bot.demo.table import Claim, Report, demand

HEADER = "X-Signoff-Approval"


async def play(scene: Scene, report: Report) -> None:
    """Look at every medium, and at the journals."""
    with report.showing(Claim.CLOSED) as proof:
        await _no_live_button(scene, proof)
    with report.showing(Claim.TOLD) as proof:
        await _mailed(scene, proof)
    with report.showing(Claim.HEARD) as proof:
        for asked, ending, after in (
            (scene.refund, "approval.decided", "run.completed"),
            (scene.deployment, "approval.decided", "run.rolled_back"),
            (scene.pizzas, "approval.expired", "run.rolled_back"),
        ):
            await scene.event(asked, ending)
            await scene.event(asked, after)
        proof.append(f"{len(scene.world.hooks.received())} signed events, each once")
    with report.showing(Claim.SOUND) as proof:
        await _sound(scene, proof)


async def _no_live_button(scene: Scene, proof: list[str]) -> None:
    slack = scene.world.slack

    def closed() -> int | None:
        cards = [message for message in slack.messages() if message.blocks]
        live = any(LIVE & set(message.buttons) for message in cards)
        return None if live else len(cards)

    proof.append(f"{await slack.until(closed)} messages, not one that votes")


async def _mailed(scene: Scene, proof: list[str]) -> None:
    mailbox = scene.world.mail.mailbox

    def told() -> int | None:
        latest = {_thread(mail): mail for mail in mailbox.messages() if HEADER in mail.message}
        live = [mail for mail in latest.values() if any("?choice=" in url for url in mail.links())]
        replies = [mail for mail in latest.values() if mail.message["In-Reply-To"]]
        return None if live or len(replies) < len(latest) else len(latest)

    found = await mailbox.changes.until(told)
    proof.append(f"{found} threads, each with its ending and without a link that votes")


async def _sound(scene: Scene, proof: list[str]) -> None:
    entries = 0
    for asked in scene.all:
        wrong = await scene.api.differences(asked.run)
        demand(not wrong, f"{asked.title} {'; '.join(wrong)}")
        entries += len(await scene.api.journal(asked.run))
    proof.append(f"{entries} entries of {len(scene.all)} runs")


def _thread(mail: Mail) -> tuple[str, str]:
    message: EmailMessage = mail.message
    return mail.recipients[0], str(message[HEADER])
