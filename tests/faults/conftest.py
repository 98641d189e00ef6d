"""Databases to misbehave with: copies of a good one, and wires that can be cut."""

import contextlib
import shutil
from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import pytest

from engine.ids import SystemIds
from engine.store.postgres import PostgresDatabase, Surroundings, Width, opened_on
from engine.tokens import Tokens
from tests.fixtures import Postgres
from tests.postgres.proxy import Proxy, proxy


@pytest.fixture
def file(tmp_path: Path, migrated_file: Path) -> Path:
    """A SQLite file of the newest schema, with nothing in it."""
    path = tmp_path / "signoff.db"
    shutil.copyfile(migrated_file, path)
    return path


@pytest.fixture
def url(postgres: Postgres) -> Generator[str]:
    with postgres.fresh() as url:
        yield url


@pytest.fixture
def surroundings(ids: SystemIds, tokens: Tokens) -> Surroundings:
    return Surroundings(ids=ids, tokens=tokens)


@pytest.fixture
async def wire(postgres: Postgres) -> AsyncGenerator[Proxy]:
    async with proxy(postgres.server.folder) as made:
        yield made


@pytest.fixture
async def far(
    postgres: Postgres, wire: Proxy, surroundings: Surroundings
) -> AsyncGenerator[PostgresDatabase]:
    """A PostgreSQL at the other end of `wire`."""
    with contextlib.ExitStack() as stack:
        name = stack.enter_context(postgres.fresh()).partition("@/")[2].partition("?")[0]
        narrow = Width(writers=4, readers=2)
        async with opened_on(wire.url(name), surroundings, width=narrow) as database:
            yield database
            wire.heal()
