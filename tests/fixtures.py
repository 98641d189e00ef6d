"""What tests of the engine and everything above it share: a clock by hand and a real SQLite file."""

import shutil
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from engine.ids import SystemIds
from engine.store.migrations import migrate
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


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database at the newest schema, made once: every test begins with a copy."""
    path = tmp_path_factory.mktemp("schema") / "signoff.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
async def database(
    tmp_path: Path, migrated_file: Path, clock: ManualClock, ids: SystemIds, tokens: Tokens
) -> AsyncGenerator[SqliteDatabase]:
    path = tmp_path / "signoff.db"
    shutil.copyfile(migrated_file, path)
    async with opened(path, clock=clock, ids=ids, tokens=tokens) as database:
        yield database
