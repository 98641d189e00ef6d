"""Whatever fails around a call of Slack, one card is left in the end, and a press counts once."""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Final

import pytest

from bot.demo.scene import LIVE
from bot.demo.slack.signing import payload_of
from bot.demo.slack.standin import SlackStandIn
from channels.base import ChannelUnavailable
from channels.slack.channel import SlackChannel
from channels.slack.config import SlackConfig
from engine.failpoints import Mode
from tests.channels.office import ANA as ANA_ID
from tests.channels.office import BO as BO_ID
from tests.channels.office import Office
from tests.channels.slack.cards import card
from tests.channels.slack.scene import ANA, BO, DEE, Scene
from tests.clock import ManualClock
from tests.crossings import DEADLY, MODES, failing, reached, survived

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

ROOM: Final = "#approvals"
# Where each is called, and what must have gone wrong before.
LOST: Final = "slack/chat.postMessage=lost,"
SHOWN: Final = {
    "chat.postMessage": (ROOM, ""),
    "conversations.list": (ROOM, LOST),
    "conversations.history": (ROOM, LOST),
}
WINDOWS: Final = ("views.open", "views.update")
CROSSED: Final = (
    *SHOWN,
    *WINDOWS,
    "conversations.open",
    "chat.update",
    "chat.postEphemeral",
    "response_url",
    "auth.test",
)
LIVING: Final = [mode for mode in MODES if mode not in DEADLY]  # a door dies with its whole server
LATER: Final = timedelta(minutes=20)


async def delivered(office: Office, config: SlackConfig, orders: str = "") -> None:
    """Deliver what is due, in a life of its own; several, where nothing is to go wrong."""
    for _life in range(1 if orders else 3):
        channel = SlackChannel(config, clock=office.clock)
        dispatcher = office.dispatcher(channels={"slack": channel}, flows={})
        await survived(dispatcher.drain(), office.clock)
        await office.clock.advance(LATER)


def cards(slack: SlackStandIn) -> list[bool]:
    """Whether each card can still be pressed."""
    posted = [each for each in slack.messages() if each.thread_ts is None]
    return [bool(LIVE & set(each.buttons)) for each in posted]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("method", [*SHOWN, "chat.update"])
async def test_a_failure_around_a_card_leaves_one_card(
    slack: SlackStandIn, config: SlackConfig, post_office: Office, method: str, mode: Mode
) -> None:
    address, before = SHOWN.get(method, (ROOM, ""))
    asked = await post_office.ask(routes={"slack": [address]})
    orders = f"{before}slack/{method}={mode}:50ms"

    with failing(orders, post_office.clock) as fault:
        for _life in range(2):
            await delivered(post_office, config, orders)
        if method != "chat.update":
            assert cards(slack) in ([True], [])
        for person in (ANA_ID, BO_ID):
            await post_office.vote(asked.id, person)
        await delivered(post_office, config, orders)
    await delivered(post_office, config)

    assert fault.seen > 0
    assert cards(slack) == [False]


@pytest.mark.parametrize("mode", MODES)
async def test_a_failure_around_the_search_for_a_direct_message_leaves_one(
    slack: SlackStandIn, config: SlackConfig, clock: ManualClock, mode: Mode
) -> None:
    async def posts() -> None:
        channel = SlackChannel(config, clock=clock)
        with suppress(ChannelUnavailable):
            await channel.post(replace(card(), may_be_there=True), to="T0DEMO/U0ANA", key="dlv_1")

    orders = f"slack/chat.postMessage=lost,slack/conversations.open={mode}:50ms@2"
    with failing(orders, clock) as fault:
        for _life in range(3):
            await survived(posts(), clock)

    assert fault.seen > 1
    assert len(slack.messages()) == 1


@pytest.mark.parametrize("mode", LIVING)
@pytest.mark.parametrize("method", ["response_url", "chat.postEphemeral"])
async def test_a_vote_whose_answer_fails_counts_once(told: Scene, method: str, mode: Mode) -> None:
    asked, message = await told.posted()
    sent = (await told.slack.people.press(DEE, message, "Approve")).sent
    await told.whisper(DEE)
    url = None if method == "chat.postEphemeral" else str(payload_of(sent)["response_url"])
    ana = {"id": ANA, "team_id": "T0DEMO"}

    with failing(f"slack/{method}={mode}:50ms", told.clock) as fault:
        await told.slack.line.send(told.slack.forger.changed(sent, user=ana, response_url=url))
        await reached(fault, told.clock)
    await told.slack.people.press(ANA, message, "Approve")

    assert [person for person, _choice, _comment in await told.said(asked)] == ["ana"]


@pytest.mark.parametrize("mode", LIVING)
@pytest.mark.parametrize("method", WINDOWS)
async def test_a_window_that_fails_records_nothing_and_opens_again(
    told: Scene, method: str, mode: Mode
) -> None:
    asked, message = await told.posted()

    with failing(f"slack/{method}={mode}:50ms", told.clock) as fault:
        await told.slack.people.press(BO, message, "Reject…")
        await reached(fault, told.clock)
    before = len(told.slack.api.calls("views.update"))
    await told.slack.people.press(BO, message, "Reject…")
    await told.slack.until(lambda: told.slack.api.calls("views.update")[before:] or None)

    assert await told.said(asked) == []


@pytest.mark.parametrize("mode", [Mode.BROKEN, Mode.LOST])
async def test_a_question_who_we_are_that_fails_is_asked_again(
    channel: SlackChannel, clock: ManualClock, mode: Mode
) -> None:
    with failing(f"slack/auth.test={mode}", clock), pytest.raises(ChannelUnavailable):
        await channel.check_health()

    await channel.check_health()
