"""Databases that tell the moment themselves, as in earnest."""

from collections.abc import AsyncGenerator, Generator

import pytest

from engine.ids import SystemIds
from engine.store.postgres import PostgresDatabase, Surroundings, Width, opened_on
from engine.tokens import Tokens
from tests.fixtures import Postgres


@pytest.fixture
def url(postgres: Postgres) -> Generator[str]:
    with postgres.fresh() as url:
        yield url


@pytest.fixture
def surroundings(ids: SystemIds, tokens: Tokens) -> Surroundings:
    return Surroundings(ids=ids, tokens=tokens)


@pytest.fixture
async def shared(url: str, surroundings: Surroundings) -> AsyncGenerator[PostgresDatabase]:
    async with opened_on(url, surroundings, width=Width(writers=20, readers=4)) as database:
        yield database


@pytest.fixture
async def other(url: str, surroundings: Surroundings) -> AsyncGenerator[PostgresDatabase]:
    """The same database, as another process has it."""
    async with opened_on(url, surroundings, width=Width(writers=2, readers=2)) as database:
        yield database
