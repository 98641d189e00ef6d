"""A collector, and a stage whose traces it gets."""

from collections.abc import AsyncIterator

import pytest

from engine.store.sqlite import SqliteDatabase
from tests.clock import ManualClock
from tests.engine.stage import Stage
from tests.tracing.collector import Keeper, collector


@pytest.fixture
async def stage(database: SqliteDatabase, clock: ManualClock) -> Stage:
    made = Stage(database, clock)
    await made.prepare()
    return made


@pytest.fixture
async def keeper() -> AsyncIterator[Keeper]:
    async with collector() as made:
        yield made
