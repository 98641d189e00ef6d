"""What Slack does to a busy or unlucky app: rates, errors, lost answers, delays."""

from datetime import timedelta
from functools import partial

import anyio
import pytest
from aiohttp import ClientError
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.demo.faults import Delay, Drop, Hold, Refuse, Status
from bot.demo.slack.house import House
from bot.demo.slack.standin import SlackStandIn
from engine.ids import SystemIds
from tests.clock import ManualClock

pytestmark = pytest.mark.anyio

HERE = "C0APPROVALS"


async def test_a_channel_takes_a_burst_and_then_one_message_a_second(
    slack: SlackStandIn, client: AsyncWebClient, clock: ManualClock
) -> None:
    for _ in range(10):
        await client.chat_postMessage(channel=HERE, text="hello")

    with pytest.raises(SlackApiError) as raised:
        await client.chat_postMessage(channel=HERE, text="hello")
    await client.chat_postMessage(channel="U0ANA", text="another channel")
    await clock.advance(timedelta(seconds=1))
    await client.chat_postMessage(channel=HERE, text="hello")

    assert raised.value.response.status_code == 429
    assert raised.value.response.headers["Retry-After"] == "1"
    assert raised.value.response["error"] == "ratelimited"
    assert [call.status for call in slack.api.calls("chat.postMessage")] == [200] * 10 + [
        429,
        200,
        200,
    ]


async def test_a_method_takes_its_tier_a_minute(slack: SlackStandIn) -> None:
    waits = [slack.rates.wait_for("chat.update", HERE) for _ in range(51)]

    assert waits == [None] * 50 + [timedelta(seconds=2)]


async def test_rates_can_be_switched_off(slack: SlackStandIn) -> None:
    slack.rates.enabled = False

    assert [slack.rates.wait_for("chat.postMessage", HERE) for _ in range(99)] == [None] * 99


async def test_a_scope_that_was_not_granted_is_missing(clock: ManualClock) -> None:
    house = House(bot_token="t", signing_secret="s", scopes=frozenset({"chat:write"}))
    stand_in = SlackStandIn(house, clock=clock, ids=SystemIds())
    answer = await stand_in.api.answered("users.info", {"user": "U0ANA"})

    assert answer["error"] == "missing_scope"


async def test_an_error_can_be_queued_for_the_next_calls(
    slack: SlackStandIn, client: AsyncWebClient
) -> None:
    slack.faults.add("chat.postMessage", Refuse(error="token_revoked"), times=2)
    slack.faults.add("chat.postMessage", Status(code=503, body="<html>"))
    errors: list[str] = []

    for _ in range(3):
        try:
            await client.chat_postMessage(channel=HERE, text="hello")
        except SlackApiError as refused:
            errors.append(str(refused.response.data))
    await client.chat_postMessage(channel=HERE, text="hello")

    assert ["token_revoked" in error for error in errors] == [True, True, False]
    assert len(slack.messages(HERE)) == 1
    assert slack.faults.waiting == 0


@pytest.mark.parametrize("done", [True, False])
async def test_a_lost_answer_leaves_the_sender_in_doubt(
    slack: SlackStandIn, client: AsyncWebClient, done: bool
) -> None:
    slack.faults.add("chat.postMessage", Drop(done=done))

    with pytest.raises((ClientError, OSError)):
        await client.chat_postMessage(channel=HERE, text="hello")

    assert len(slack.messages(HERE)) == int(done)
    assert slack.api.ledger[-1].status == 0


async def test_a_slow_answer_comes_when_its_time_has_come(
    slack: SlackStandIn, client: AsyncWebClient, clock: ManualClock
) -> None:
    slack.faults.add("chat.postMessage", Delay(by=timedelta(seconds=30)))

    async with anyio.create_task_group() as group:
        group.start_soon(partial(client.chat_postMessage, channel=HERE, text="late"))
        await slack.until(lambda: slack.api.calls("chat.postMessage") or None)
        assert slack.messages(HERE) == []
        while not slack.messages(HERE):
            await clock.advance(timedelta(seconds=30))
            await anyio.lowlevel.checkpoint()

    assert slack.api.ledger[-1].status == 200


async def test_a_held_call_goes_on_when_it_is_released(
    slack: SlackStandIn, client: AsyncWebClient
) -> None:
    hold = Hold()
    slack.faults.add("chat.postMessage", hold)

    async with anyio.create_task_group() as group:
        group.start_soon(partial(client.chat_postMessage, channel=HERE, text="held"))
        await hold.reached.wait()
        assert slack.messages(HERE) == []
        hold.released.set()

    assert [message.text for message in slack.messages(HERE)] == ["held"]
