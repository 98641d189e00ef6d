"""Opens the database that the settings name: a file that is owned, or a PostgreSQL that is shared."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Final

import structlog

from bot.settings import Settings
from engine.clock import Clock
from engine.errors import Invalid, Unavailable
from engine.failpoints import arm
from engine.ids import Ids
from engine.store.database import Database
from engine.store.migrations import migrate
from engine.store.moving import demand_live
from engine.store.ownership import owned
from engine.store.postgres import Surroundings, opened_on
from engine.store.postgres_once import granted, migrated
from engine.store.postgres_url import shown_url
from engine.store.shared_clock import SharedClock
from engine.store.sqlite import opened
from engine.tokens import Tokens

SKEW_MAX: Final = timedelta(seconds=2)  # between machines that keep their clocks, there is far less

_log = structlog.stdlib.get_logger("bot")


@asynccontextmanager
async def database_of(
    settings: Settings, *, clock: Clock, ids: Ids, tokens: Tokens
) -> AsyncGenerator[tuple[Database, Clock]]:
    """The database, made or migrated, and the clock that it goes by, until the block ends.

    A file goes by the machine's `clock`, a shared one by its own, whatever the machines say.

    Raises:
        FileOwned: if another process owns the file. Unavailable: if it cannot be opened.
        Refused: `moved` or `not_restored`, if the file is not the one that servers work on.
        Invalid: if a failpoint of a drill names no boundary.
    """
    if settings.failpoints is not None:
        arm(settings.failpoints)
        _log.warning("failpoints.armed", orders=settings.failpoints)
    if settings.shared_url is not None:
        around = Surroundings(ids=ids, tokens=tokens, kept=SharedClock(clock))
        async with opened_on(settings.shared_url, around) as shared:
            await shared.read(lambda tx: tx.now)
            _compare(around.kept)
            yield shared, around.kept
        return
    path = settings.database_path
    _make_private(path)
    async with opened(path, clock=clock, ids=ids, tokens=tokens) as database:
        await database.read(lambda tx: demand_live(tx.connection, path))
        yield database, clock


def _compare(kept: SharedClock) -> None:
    skew = kept.skew()
    if abs(skew) > SKEW_MAX:
        _log.warning("clock.differs", ahead_s=round(skew.total_seconds(), 1))


def name_of(settings: Settings) -> str:
    """Which database it is, in words that may be shown."""
    if settings.shared_url is not None:
        return f"PostgreSQL at {shown_url(settings.shared_url)}"
    return str(settings.database_path)


def bring_up(settings: Settings, *, app_role: str | None = None) -> None:
    """Make or upgrade the schema, and let `app_role` work with it.

    Raises:
        FileOwned: if another process owns the file. Unavailable: if it cannot be opened.
        Invalid: `no_roles`, if a role is named and the database is a file.
    """
    if settings.shared_url is not None:
        return asyncio.run(_brought_up(settings.shared_url, app_role))
    if app_role is not None:
        raise Invalid("A SQLite file has no roles; they are PostgreSQL's.", code="no_roles")
    with owned(settings.database_path):
        return migrate(f"sqlite:///{settings.database_path}")


async def _brought_up(url: str, app_role: str | None) -> None:
    await migrated(url)
    if app_role is not None:
        await granted(url, app_role)


def _make_private(database: Path) -> None:
    try:
        # SQLite gives the files beside it the same mode.
        database.touch(mode=0o600)
    except OSError as error:
        raise Unavailable(
            f"The database {database} cannot be made: {error.strerror}.", code="no_database"
        ) from None
