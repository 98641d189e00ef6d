"""The stage on which the engine's stories are told."""

import pytest

from engine.store.database import Database
from tests.clock import ManualClock
from tests.engine import spenders
from tests.engine.stage import Stage


@pytest.fixture
async def stage(database: Database, clock: ManualClock) -> Stage:
    made = Stage(database, clock)
    await made.prepare()
    spenders.TILL.clear()
    spenders.TROUBLE.clear()
    return made
