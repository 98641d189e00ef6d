"""A real SQLite file for each test, with time by hand."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from engine.ids import SystemIds
from engine.store.sqlite import SqliteDatabase
from engine.store.tables import metadata
from engine.tokens import Tokens
from tests.clock import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def database(tmp_path: Path, clock: ManualClock) -> AsyncIterator[SqliteDatabase]:
    path = tmp_path / "signoff.db"
    made = create_engine(f"sqlite:///{path}")
    metadata.create_all(made)
    made.dispose()
    opened = SqliteDatabase(path, clock=clock, ids=SystemIds(), tokens=Tokens(b"k" * 32))
    yield opened
    await opened.close()
