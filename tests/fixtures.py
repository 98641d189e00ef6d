"""What tests of the engine and everything above it share: a clock by hand and a real SQLite file."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from engine.ids import SystemIds
from engine.store.sqlite import SqliteDatabase, opened
from engine.tokens import Tokens
from tests.clock import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def ids() -> SystemIds:
    return SystemIds()


@pytest.fixture
def tokens() -> Tokens:
    return Tokens(b"a secret of at least 32 bytes for tests")


@pytest.fixture
async def database(
    tmp_path: Path, clock: ManualClock, ids: SystemIds, tokens: Tokens
) -> AsyncIterator[SqliteDatabase]:
    async with opened(tmp_path / "signoff.db", clock=clock, ids=ids, tokens=tokens) as database:
        yield database
