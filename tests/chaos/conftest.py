"""A PostgreSQL that these tests may kill, and an empty database on it."""

from collections.abc import Generator

import pytest

from tests.postgres.server import Server, server


@pytest.fixture
def mortal() -> Generator[Server]:
    with server() as started:
        yield started


@pytest.fixture
def empty(mortal: Server) -> str:
    return mortal.url(mortal.make())
