"""What chaos takes for an answer: in Slack, what came for this very press and for no other."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import parse_qs

import pytest
from anyio import Event
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.chaos import company
from bot.chaos.dice import Dice
from bot.chaos.doors import Doors, Fate
from bot.chaos.watching import Seen
from bot.demo.serving import bound, served
from bot.demo.slack.workspace import Draft
from bot.demo.trees import parsed, record, text
from bot.demo.world import World, world
from engine.clock import SystemClock
from engine.http import plain_client
from engine.ids import SystemIds

pytestmark = pytest.mark.anyio

RECORDED, UNCLEAR = "Recorded. 1 of 2 approvals.", "Not confirmed. Press again: it counts once."
ROOM = "C0ROOM10"


@dataclass
class App:
    """Does not answer the first press in time; its sentence comes with the second, before its own."""

    urls: list[str] = field(default_factory=list[str])

    async def hear(self, request: Request) -> Response:
        """Every press."""
        payload = record(parsed(parse_qs((await request.body()).decode())["payload"][0]))
        self.urls.append(text(payload, "response_url"))
        if len(self.urls) == 1:
            return Response(status_code=503)
        async with plain_client() as client:
            for url, words in zip(self.urls, (RECORDED, UNCLEAR), strict=True):
                said = {"response_type": "ephemeral", "text": words}
                (await client.post(url, json=said)).raise_for_status()
        return Response()


@pytest.fixture
async def outside() -> AsyncIterator[World]:
    ids = SystemIds()
    async with world(SystemClock(), ids=ids, house=company.house(ids)) as around:
        yield around


def nowhere() -> str:
    """An address that nobody hears at."""
    with bound("127.0.0.1", 0) as probe:
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


def shown(outside: World, approval: str) -> Seen:
    """An approval whose card stands in the room."""
    button = {
        "type": "button",
        "action_id": "approve",
        "text": {"type": "plain_text", "text": "Approve"},
        "value": f"{approval}:1:0",
    }
    space = outside.slack.space
    card = Draft(text=approval, blocks=[{"type": "actions", "elements": [button]}])
    space.post(ROOM, space.house.bot_user, card)
    return Seen(id=approval, run=f"run_{approval}", status="open", version=1, digest="sha256:0")


async def test_a_late_answer_to_another_press_is_not_taken_for_this_ones(outside: World) -> None:
    app = App()
    first, second = shown(outside, "apr_1"), shown(outside, "apr_2")
    async with served(Starlette(routes=[Route("/slack/events", app.hear, methods=["POST"])])) as at:
        doors = Doors(outside, [at], clock=SystemClock(), dice=Dice("any"))

        before = await doors.by_slack(first, "bo")
        after = await doors.by_slack(second, "bo")
        await doors.close()

    assert before.fate is Fate.AWAY
    assert after.fate is Fate.REFUSED  # "Recorded" was the first one's
    assert [each.text for each in outside.slack.whispers("U0BO")] == [RECORDED, UNCLEAR]


async def test_a_press_that_nobody_answers_in_time_is_no_vote(outside: World) -> None:
    seen, hold = shown(outside, "apr_1"), Event()
    outside.slack.line.ack_within = timedelta(milliseconds=50)

    async def hear(_request: Request) -> Response:
        await hold.wait()
        return Response()

    async with served(Starlette(routes=[Route("/slack/events", hear, methods=["POST"])])) as at:
        doors = Doors(outside, [at], clock=SystemClock(), dice=Dice("any"))

        said = await doors.by_slack(seen, "bo")
        hold.set()
        await doors.close()

    assert said.fate is Fate.AWAY


async def test_a_press_that_reaches_nobody_is_no_vote(outside: World) -> None:
    seen = shown(outside, "apr_1")
    doors = Doors(outside, [nowhere()], clock=SystemClock(), dice=Dice("any"))

    said = await doors.by_slack(seen, "bo")
    await doors.close()

    assert said.fate is Fate.AWAY
