"""A Slack that is really served, and the channel that speaks to it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from bot.demo.serving import served
from bot.demo.slack.house import CHANNELS, House
from bot.demo.slack.house import SlackChannel as Room
from bot.demo.slack.standin import SlackStandIn
from channels.slack.channel import SlackChannel
from channels.slack.config import SlackConfig
from engine.ids import SystemIds
from engine.store.sqlite import SqliteDatabase
from tests.channels.slack.scene import Scene, scene
from tests.clock import ManualClock

ROOMS = (
    *CHANNELS,
    Room(id="C0PUBLIC", name="public", bot_is_member=False),
    Room(id="C0OLD", name="old", archived=True),
)
HOUSE = House(
    bot_token="xoxb-1-for-tests",
    signing_secret="0123456789abcdef0123456789abcdef",
    channels=ROOMS,
)


@pytest.fixture
async def slack(clock: ManualClock) -> AsyncIterator[SlackStandIn]:
    stand_in = SlackStandIn(HOUSE, clock=clock, ids=SystemIds())
    async with served(stand_in.app) as url:
        stand_in.at(url)
        yield stand_in
        stand_in.space.changes.close()


@pytest.fixture
def config(slack: SlackStandIn) -> SlackConfig:
    return config_of(slack)


@pytest.fixture
def channel(config: SlackConfig, clock: ManualClock) -> SlackChannel:
    return SlackChannel(config, clock=clock)


def config_of(slack: SlackStandIn, **changes: Any) -> SlackConfig:
    """How the app is configured for `slack`, with `changes`."""
    right = SlackConfig(
        bot_token=slack.house.bot_token,
        signing_secret=slack.house.signing_secret,
        api_url=slack.api_url,
        team_ids=frozenset({slack.house.team_id}),
        app_id=slack.house.app_id,
    )
    return replace(right, **changes)


@pytest.fixture
async def told(
    slack: SlackStandIn, config: SlackConfig, database: SqliteDatabase, clock: ManualClock
) -> AsyncIterator[Scene]:
    async with scene(slack, config, database=database, clock=clock) as story:
        yield story
