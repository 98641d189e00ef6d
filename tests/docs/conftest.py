"""A story for each page: its own folder, its own port, and Slack, mail and webhooks around it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.demo.slack.house import CHANNELS, House, SlackUser
from bot.demo.world import world
from engine.clock import SystemClock
from tests.docs.story import Story

USERS = (
    SlackUser(id="U0AAA", name="ana", real_name="Ana Diaz", email="ana@example.com"),
    SlackUser(id="U0BBB", name="bo", real_name="Bo Larsen", email="bo@example.com"),
)


@pytest.fixture
async def story(tmp_path: Path) -> AsyncGenerator[Story]:
    async with telling(tmp_path) as told:
        yield told


@asynccontextmanager
async def telling(folder: Path) -> AsyncGenerator[Story]:
    """A story in `folder`, whose servers end with the block."""
    house = House(
        bot_token="xoxb-of-the-pages",
        signing_secret="the signing secret of these pages",
        team_id="T0PAGES",
        users=USERS,
        channels=CHANNELS,
    )
    async with world(SystemClock(), house=house) as around:
        told = Story(folder=folder, world=around)
        around.bot_at(told.url)
        try:
            yield told
        finally:
            await told.close()
