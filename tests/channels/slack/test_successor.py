"""A process dies between posting a card and marking it: its successor finds it, wherever it stands."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.demo.faults import Drop, Status
from bot.demo.scene import LIVE
from bot.demo.serving import served
from bot.demo.slack.house import SlackChannel as Room
from bot.demo.slack.standin import SlackStandIn
from channels.attempt import Attempts
from channels.base import ChannelUnavailable
from channels.cards import CardBuilder
from channels.dispatch import Dispatcher
from channels.slack.channel import SlackChannel
from channels.slack.config import SlackConfig
from channels.slack.rooms import PAGE
from engine.ids import SystemIds
from engine.services import deliveries
from engine.store.pictures import ApprovalPicture
from tests.channels.office import ANA, BASE, BO, Office
from tests.channels.slack.cards import card
from tests.channels.slack.conftest import HOUSE, config_of
from tests.clock import ManualClock

pytestmark = pytest.mark.anyio

LEASE = timedelta(seconds=90)
KEY = "dlv_1"


async def posted_by_the_dead(office: Office, dead: SlackChannel) -> ApprovalPicture:
    """An approval whose card was posted by a process that never marked it; its lease ran out."""
    asked = await office.ask(routes={"slack": ["#approvals"]})
    [held] = await office.database.write(
        lambda tx: deliveries.claim(tx, "slack", limit=9, lease_for=LEASE)
    )
    cards = CardBuilder(office.database, base_url=BASE)
    await Attempts({"slack": dead}, cards, base_url=BASE).make(held)
    await office.clock.advance(LEASE + timedelta(seconds=1))
    return asked


def successor(office: Office, config: SlackConfig) -> Dispatcher:
    return office.dispatcher(channels={"slack": SlackChannel(config, clock=office.clock)})


def live(slack: SlackStandIn) -> list[str]:
    """The cards that can be pressed."""
    return [each.ts for each in slack.messages("approvals") if LIVE & set(each.buttons)]


async def test_nothing_live_is_left_where_an_approval_ended_meanwhile(
    slack: SlackStandIn, channel: SlackChannel, config: SlackConfig, post_office: Office
) -> None:
    asked = await posted_by_the_dead(post_office, channel)
    for person in (ANA, BO):
        await post_office.vote(asked.id, person)

    await successor(post_office, config).drain()

    assert live(slack) == []
    cards = [each for each in slack.messages("approvals") if each.thread_ts is None]
    assert len(cards) == 1


async def test_a_name_is_looked_up_and_one_live_card_is_left(
    slack: SlackStandIn, channel: SlackChannel, config: SlackConfig, post_office: Office
) -> None:
    asked = await posted_by_the_dead(post_office, channel)
    [first] = live(slack)

    second = successor(post_office, config)
    await second.drain()

    assert live(slack) == [first]
    assert len(slack.api.calls("chat.postMessage")) == 1
    for person in (ANA, BO):
        await post_office.vote(asked.id, person)
    await second.drain()
    assert live(slack) == []


async def test_a_slack_that_is_away_for_the_search_leaves_it_as_unclear_as_before(
    slack: SlackStandIn, channel: SlackChannel, config: SlackConfig, clock: ManualClock
) -> None:
    await channel.post(card(), to="#approvals", key=KEY)
    await clock.advance(timedelta(minutes=2))
    slack.faults.add("conversations.list", Status(code=429, retry_after=7))
    second = SlackChannel(config, clock=clock)

    with pytest.raises(ChannelUnavailable) as caught:
        await second.post(card(), to="#approvals", key=KEY)
    await second.post(card(), to="#approvals", key=KEY)

    assert caught.value.ambiguous
    assert caught.value.retry_after_s == 7
    assert len(slack.messages()) == 1


async def test_a_message_that_much_was_said_after_is_found(
    slack: SlackStandIn, channel: SlackChannel, config: SlackConfig, clock: ManualClock
) -> None:
    await channel.post(card(), to="#approvals", key=KEY)
    for number in range(450):
        slack.people.say("U0ANA", "C0APPROVALS", f"word {number}")
    await clock.advance(timedelta(minutes=2))

    ref = await SlackChannel(config, clock=clock).post(card(), to="#approvals", key=KEY)

    [message] = slack.messages()
    assert ref.data["ts"] == message.ts
    assert len(slack.api.calls("conversations.history")) == 3


async def test_a_name_on_a_later_page_is_found_and_asked_for_once(
    clock: ManualClock,
) -> None:
    rooms = [Room(id=f"C1X{number}", name=f"x{number}") for number in range(PAGE)]
    house = replace(HOUSE, channels=(*rooms, *HOUSE.channels))
    large = SlackStandIn(house, clock=clock, ids=SystemIds())
    async with served(large.app) as url:
        large.at(url)
        channel = SlackChannel(config_of(large), clock=clock)
        for key in (KEY, "dlv_2"):
            large.faults.add("chat.postMessage", Drop(done=True))
            with pytest.raises(ChannelUnavailable):
                await channel.post(card(), to="#approvals", key=key)

            await channel.post(card(), to="#approvals", key=key)
        large.space.changes.close()

    assert len(large.messages()) == 2
    assert len(large.api.calls("conversations.list")) == 2


async def test_what_may_be_there_is_looked_for_however_young_it_is(
    slack: SlackStandIn, channel: SlackChannel, config: SlackConfig, clock: ManualClock
) -> None:
    young = replace(card(), event_at=clock.now())
    await channel.post(young, to="#approvals", key=KEY)

    second = SlackChannel(config, clock=clock)
    await second.post(replace(young, may_be_there=True), to="#approvals", key=KEY)

    assert len(slack.messages()) == 1
