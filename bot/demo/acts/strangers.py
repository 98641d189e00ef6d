"""Those who must not decide anything try to: a scanner, a stranger, and two forgers."""

import asyncio
from collections import Counter
from typing import Final

from bot.demo.outgoing import Reply, Sent, deliver
from bot.demo.people import BO, STRANGER, TEAM
from bot.demo.scene import Scene
from bot.demo.slack.messages import Message
from bot.demo.table import Claim, Report, demand

SCANNERS: Final = (
    "Mozilla/5.0 (compatible; MSIE 9.0; Windows NT 6.1; Trident/5.0) SafeLinks",
    "Mozilla/5.0 (compatible; Barracuda Link Protect)",
    "Mozilla/5.0 (Windows NT 10.0) Proofpoint URL Defense",
    "Mozilla/5.0 (X11; Linux x86_64) Mimecast Targeted Threat Protection",
    "GoogleImageProxy",
)
AT_ONCE: Final = 8


async def play(scene: Scene, report: Report) -> None:
    """Let each of them try, and see that no journal moved."""
    with report.showing(Claim.SCANNED) as proof:
        await _scanner(scene, proof)
    with report.showing(Claim.STRANGER) as proof:
        await _stranger(scene, proof)
    with report.showing(Claim.FORGED) as proof:
        await _forged_press(scene, proof)
    with report.showing(Claim.FORGED_CALLBACK) as proof:
        await _forged_callback(scene, proof)


async def _scanner(scene: Scene, proof: list[str]) -> None:
    mails = scene.world.mail.mailbox.messages()
    links = {link for mail in mails for link in mail.links() if "/respond/" in link}
    room = asyncio.Semaphore(AT_ONCE)

    async def visit(method: str, link: str, agent: str) -> Reply:
        async with room:
            sent = Sent(url=link, body=b"", headers={"User-Agent": agent})
            return await deliver(sent, method=method)

    async with scene.unchanged(scene.refund, scene.deployment), asyncio.TaskGroup() as group:
        visits = [
            group.create_task(visit(method, link, agent))
            for link in sorted(links)
            for agent in SCANNERS
            for method in ("HEAD", "GET")
        ]
    answers = Counter(visit.result().status for visit in visits)
    demand(len(links) > len(scene.all), "The mails hold too few links.")
    demand(all(0 < status < 500 for status in answers), f"It was answered with {dict(answers)}.")
    for asked in scene.all:
        demand(not (await scene.api.approval(asked.approval)).votes, f"{asked.title} has a vote.")
    proof.append(
        f"{len(visits)} HEAD and GET requests to {len(links)} links, by {len(SCANNERS)} agents"
    )


async def _stranger(scene: Scene, proof: list[str]) -> None:
    slack = scene.world.slack

    def told() -> Message | None:
        return next(reversed(slack.whispers(STRANGER.user)), None)

    async with scene.unchanged(scene.refund):
        await slack.people.press(STRANGER.user, await scene.card(scene.refund), "Approve")
        whisper = await slack.until(told)
    demand("not linked" in whisper.text, f"They were told: {whisper.text}")
    proof.append(f"told: “{whisper.text.partition(';')[0]}”")


async def _forged_press(scene: Scene, proof: list[str]) -> None:
    line, forger = scene.world.slack.line, scene.world.slack.forger
    as_bo = forger.changed(line.sent[-1], user={"id": BO.user, "team_id": TEAM})
    async with scene.unchanged(scene.refund):
        heard = await line.send(forger.forged(as_bo))
    demand(heard.status == 401, f"It was answered with {heard.status}.")
    proof.append("answered 401")


async def _forged_callback(scene: Scene, proof: list[str]) -> None:
    callbacks = scene.world.hooks.callbacks
    opened = await scene.event(scene.deployment, "approval.opened")
    async with scene.unchanged(scene.deployment):
        answered = await callbacks.send(callbacks.forged(callbacks.composed(opened, "approve")))
    demand(answered.status == 401, f"It was answered with {answered.status}.")
    proof.append("answered 401")
