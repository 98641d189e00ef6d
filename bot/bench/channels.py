"""Measures signed Slack presses over HTTP, from the press to the answer, one at a time and many a second."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from typing_extensions import override

from bot.bench.figures import Figures, summary
from bot.bench.filling import copies
from bot.bench.http_calls import Answer, Connection, bearer, connected
from bot.bench.place import Place
from bot.bench.serving import Process, Tokens, serving, sign_in
from bot.demo.outgoing import Sent
from bot.demo.slack.house import CHANNELS, House, SlackUser
from bot.demo.slack.interactions import People
from bot.demo.slack.line import Heard, Line
from bot.demo.slack.messages import Message
from bot.demo.slack.signing import FORM, signed
from bot.demo.slack.standin import SlackStandIn
from bot.demo.world import World, world
from bot.wiring import running
from engine.clock import SystemClock
from engine.ids import DEFAULT_TENANT, ApprovalId, Ids, RunId, SystemIds
from engine.services import approvals
from engine.services.approvals import Request
from engine.store.database import Transaction
from engine.store.measuring import mark
from engine.store.routings import set_channels

TEAM: Final = "T0BENCH"
USER: Final = "U0BENCH"
ROOM: Final = "#approvals"
CONFIGURATION: Final = f"""\
[people.bench]
name = "Bench"
email = "bench@example.com"
slack = "{TEAM}/{USER}"

[roles]
operator = ["bench"]
"""


async def channels(place: Place, *, probes: int, rate: int, seconds: int) -> Figures:
    """`probes` presses one after the other; then, if a `rate` is given, so many a second.

    One card is posted; presses of the others are its press with their own reference. Slack takes a
    message a second in one room, and what is measured here is not how long that takes.
    """
    place.configure(CONFIGURATION)
    tokens = await sign_in(place)
    shown, others = await _asked(place, probes + rate * seconds)
    clock, ids = SystemClock(), SystemIds()
    async with (
        world(clock, ids=ids, house=_house(ids)) as around,
        serving(place, _slack(around)) as server,
    ):
        around.bot_at(server.url)
        pressed = await _pressed(around.slack, await around.slack.message(ROOM))
        secret = around.slack.house.signing_secret
        presses = [_again(pressed, shown, other, secret) for other in others]
        calm = await _one_by_one(server, presses[:probes])
        busy = await _at_a_rate(server, presses[probes:], rate) if rate else None
        await _check_approved(server, tokens, (others[0], others[-1]))
    return {"unloaded": calm, "loaded": busy}


async def _check_approved(server: Process, tokens: Tokens, among: Sequence[ApprovalId]) -> None:
    async with connected(server.url) as door:
        for each in among:
            found = await door.get(f"/api/approvals/{each}", bearer(tokens.terminals["bench"]))
            if found.json["status"] != "approved":
                raise RuntimeError(f"A press did not decide: {found.body[:300]!r}")


async def _asked(place: Place, number: int) -> tuple[ApprovalId, list[ApprovalId]]:
    """One approval whose card goes into the room, and `number` that say the same."""
    request = Request(title="Go on?", action="bench", approvers="person:bench")
    async with running(place.settings, authored={}) as it:
        database = it.application.database

        def ask(tx: Transaction) -> tuple[ApprovalId, RunId]:
            mark(tx)
            set_channels(tx, frozenset({"slack"}))
            routed = replace(request, routes={"slack": [ROOM]})
            card = approvals.ask(tx, DEFAULT_TENANT, routed, started_by="key:bench", owner=None)
            quiet = replace(request, routes={})
            plain = approvals.ask(tx, DEFAULT_TENANT, quiet, started_by="key:bench", owner=None)
            return card.id, plain.run

        shown, run = await database.write(ask)
        found = [each.approval async for some in copies(database, run, number) for each in some]
    return shown, found


def _house(ids: Ids) -> House:
    users = [SlackUser(id=USER, name="bench", real_name="Bench")]
    return House(
        bot_token=f"xoxb-{ids.secret()}",
        signing_secret=ids.secret(),
        team_id=TEAM,
        users=users,
        channels=CHANNELS,
    )


def _slack(around: World) -> dict[str, str]:
    house = around.slack.house
    return {
        "SIGNOFF_SLACK_API_URL": around.slack.api_url,
        "SIGNOFF_SLACK_BOT_TOKEN": house.bot_token,
        "SIGNOFF_SLACK_SIGNING_SECRET": house.signing_secret,
        "SIGNOFF_SLACK_TEAM_IDS": house.team_id,
    }


class _Paper(Line):
    """Writes down what would be sent, and sends nothing."""

    @override
    async def send(self, sent: Sent) -> Heard:
        self.sent.append(sent)
        return Heard(sent=sent, status=200, body=b"", error=None, took=timedelta(0))


async def _pressed(slack: SlackStandIn, message: Message) -> Sent:
    """A signed press of the Approve button of `message`."""
    paper = _Paper(slack.house.signing_secret, clock=SystemClock())
    paper.url = slack.line.url
    hands = People(slack.space, slack.permits, paper, base=slack.people.base)
    await hands.press(USER, message, "Approve")
    return paper.sent[0]


def _again(press: Sent, shown: ApprovalId, other: ApprovalId, secret: str) -> Sent:
    """The same press, on another approval that says the same."""
    body = press.body.replace(shown.encode(), other.encode())
    at = SystemClock().now()
    return signed(press.url, body, content_type=FORM, secret=secret, at=at)


async def _one_by_one(server: Process, presses: Sequence[Sent]) -> Figures:
    taken: list[float] = []
    async with connected(server.url) as door:
        for press in presses:
            taken.append(_recorded(await door.send(_request(door, press))).took)
            await SystemClock().sleep(timedelta(milliseconds=20))
    return summary(taken)


async def _at_a_rate(server: Process, presses: Sequence[Sent], rate: int) -> Figures:
    """Each press at its moment, however long others take; on a connection of its own, as Slack's are."""
    began = time.perf_counter()

    async def press(index: int) -> float:
        await SystemClock().sleep(timedelta(seconds=began + index / rate - time.perf_counter()))
        due = began + index / rate
        async with connected(server.url) as door:
            _recorded(await door.send(_request(door, presses[index])))
        return time.perf_counter() - due

    taken = await asyncio.gather(*(press(index) for index in range(len(presses))))
    took = time.perf_counter() - began
    return {"presses_s": rate, "answered_s": round(len(taken) / took, 1), **summary(taken)}


def _request(door: Connection, press: Sent) -> bytes:
    return door.request("POST", "/slack/events", headers=press.headers, body=press.body)


def _recorded(answer: Answer) -> Answer:
    if answer.status != 200:
        raise RuntimeError(f"A press was answered {answer.status}: {answer.body[:300]!r}")
    return answer
