"""What tests of the engine and everything above it share: a clock by hand and a real database."""

import asyncio
import shutil
import threading
from collections.abc import AsyncGenerator, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest

from engine.ids import DEFAULT_TENANT, SystemIds
from engine.store.database import Database
from engine.store.migrations import migrate
from engine.store.postgres import Surroundings, opened_on
from engine.store.postgres_once import granted, migrated
from engine.store.sqlite import opened
from engine.store.tables import metadata
from engine.tokens import Tokens
from tests.clock import ManualClock
from tests.postgres.server import USER, Server, server

APP_ROLE = "signoff_app"
SECRET = b"a secret of at least 32 bytes for tests"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def ids() -> SystemIds:
    return SystemIds()


@pytest.fixture
def tokens() -> Tokens:
    return Tokens(SECRET)


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database at the newest schema, made once: every test begins with a copy."""
    path = tmp_path_factory.mktemp("schema") / "signoff.db"
    migrate(f"sqlite:///{path}")
    return path


@dataclass(frozen=True)
class Postgres:
    """A server of this test session's own, and the database of which every test gets a copy."""

    server: Server
    template: str
    role: str  # as whom the application connects: by its policies, it sees one tenant at a time
    _idle: list[str] = field(default_factory=list[str])

    @contextmanager
    def fresh(self, *, role: str | None = None) -> Generator[str]:
        """The URL of a new database at the newest schema, gone with the block."""
        name = self.server.make(self.template)
        yield self.server.url(name, role=role or self.role)
        self.server.ask(f"DROP DATABASE {name} WITH (FORCE)")

    @contextmanager
    def lent(self) -> Generator[str]:
        """The URL of a database as new, of which only rows are changed: afterwards others get it, emptied.

        To make one takes ten times as long.
        """
        name = self._idle.pop() if self._idle else self._lendable()
        yield self.server.url(name, role=self.role)
        self.server.ask(_EMPTIED, name)
        self._idle.append(name)

    def _lendable(self) -> str:
        name = self.server.make(self.template)
        self.server.ask(_KEPT, name)
        return name


# As a replica, so that neither what refuses to forget nor what refers to others stands in the way.
_FIRST: Final = ("meta", "tenants")  # what has rows from the beginning
_KEPT: Final = "CREATE SCHEMA kept; " + "; ".join(
    f"CREATE TABLE kept.{each} AS TABLE {each}" for each in _FIRST
)
_EMPTIED: Final = "; ".join(
    (
        "SET session_replication_role = replica",
        *(f"DELETE FROM {table.name}" for table in metadata.sorted_tables),
        *(f"INSERT INTO {each} SELECT * FROM kept.{each}" for each in _FIRST),
    )
)


@pytest.fixture(scope="session")
def postgres(request: pytest.FixtureRequest) -> Generator[Postgres]:
    with server() as started:
        template = started.make()
        # A loop may be running here already.
        url = started.url(template)
        making = threading.Thread(target=lambda: asyncio.run(_made(url)))
        started.ask(f"CREATE ROLE {APP_ROLE} LOGIN")
        making.start()
        making.join()
        role = APP_ROLE if request.config.getoption("--as-app") else USER
        yield Postgres(server=started, template=template, role=role)


async def _made(url: str) -> None:
    await migrated(url)
    await granted(url, APP_ROLE)


@pytest.fixture
async def database(
    request: pytest.FixtureRequest, clock: ManualClock, ids: SystemIds, tokens: Tokens
) -> AsyncGenerator[Database]:
    """A SQLite file; in the folders that `tests/conftest.py` names, once more on PostgreSQL."""
    if getattr(request, "param", "sqlite") == "postgres":
        made: Postgres = request.getfixturevalue("postgres")
        around = Surroundings(ids=ids, tokens=tokens, clock=clock)
        with made.lent() as url:
            async with opened_on(url, around) as shared:
                yield shared.of(DEFAULT_TENANT)
        return
    path: Path = request.getfixturevalue("tmp_path") / "signoff.db"
    shutil.copyfile(request.getfixturevalue("migrated_file"), path)
    async with opened(path, clock=clock, ids=ids, tokens=tokens) as database:
        yield database
