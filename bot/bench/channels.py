"""Measures signed Slack presses over HTTP, from the press to the answer, one at a time and many a second."""

import asyncio
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from typing_extensions import override

from bot.bench.figures import Figures, summary
from bot.bench.http_calls import Answer, Connection, bearer, connected
from bot.bench.lanes import each
from bot.bench.place import Place
from bot.bench.serving import Process, serving, sign_in
from bot.demo.outgoing import Sent
from bot.demo.slack.house import CHANNELS, House, SlackUser
from bot.demo.slack.interactions import People
from bot.demo.slack.line import Heard, Line
from bot.demo.slack.messages import Message
from bot.demo.slack.standin import SlackStandIn
from bot.demo.world import World, world
from engine.clock import SystemClock
from engine.ids import Ids, SystemIds

TEAM: Final = "T0BENCH"
USER: Final = "U0BENCH"
ROOM: Final = "#approvals"
CONFIGURATION: Final = f"""\
[people.bench]
name = "Bench"
email = "bench@example.com"
slack = "{TEAM}/{USER}"

[people.desk]
name = "The desk that asks"
email = "desk@example.com"

[roles]
operator = ["desk"]

[routes.default]
slack = ["{ROOM}"]
"""
ASKING: Final = 8  # approvals that are asked for at once
POSTED_WITHIN: Final = timedelta(seconds=120)


async def channels(place: Place, *, probes: int, rate: int, seconds: int) -> Figures:
    """`probes` presses one after the other; then, if a `rate` is given, so many a second."""
    place.configure(CONFIGURATION)
    tokens = await sign_in(place, ["desk"])
    said = bearer(tokens.terminals["desk"])
    clock, ids = SystemClock(), SystemIds()
    async with world(clock, ids=ids, house=_house(ids)) as around:
        around.slack.rates.enabled = False  # what is measured is ours
        async with serving(place, _slack(around)) as server:
            around.bot_at(server.url)
            messages = await _posted(server, around, said, number=probes + rate * seconds)
            presses = await _pressed(around.slack, messages)
            calm = await _one_by_one(server, presses[:probes])
            busy = await _at_a_rate(server, presses[probes:], rate) if rate else None
    return {"unloaded": calm, "loaded": busy}


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


async def _posted(
    server: Process, around: World, said: dict[str, str], *, number: int
) -> list[Message]:
    """The cards of `number` approvals, once all of them are in the room."""

    async def ask(index: int) -> None:
        async with connected(server.url) as door:
            wanted = {"title": f"Go on {index}?", "action": "bench", "approvers": "person:bench"}
            headers = {**said, "Idempotency-Key": f"{server.url}/{index}"}
            answer = await door.post("/api/approvals", wanted, headers)
            if answer.status != 202:
                raise RuntimeError(f"Asking was answered {answer.status}: {answer.body[:300]!r}")

    await each(range(number), ASKING, ask)
    async with asyncio.timeout(POSTED_WITHIN.total_seconds()):
        while len(found := around.slack.messages(ROOM)) < number:
            await SystemClock().sleep(timedelta(milliseconds=50))
    return found[:number]


class _Paper(Line):
    """Writes down what would be sent, and sends nothing."""

    @override
    async def send(self, sent: Sent) -> Heard:
        self.sent.append(sent)
        return Heard(sent=sent, status=200, body=b"", error=None, took=timedelta(0))


async def _pressed(slack: SlackStandIn, messages: Sequence[Message]) -> list[Sent]:
    """A signed press of the Approve button of each message."""
    paper = _Paper(slack.house.signing_secret, clock=SystemClock())
    paper.url = slack.line.url
    hands = People(slack.space, slack.permits, paper, base=slack.people.base)
    for message in messages:
        await hands.press(USER, message, "Approve")
    return paper.sent


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
