"""The stage on which the engine's stories are told."""

import pytest

from engine.store.sqlite import SqliteDatabase
from tests.clock import ManualClock
from tests.engine.stage import Stage


@pytest.fixture
async def stage(database: SqliteDatabase, clock: ManualClock) -> Stage:
    made = Stage(database, clock)
    await made.prepare()
    return made
