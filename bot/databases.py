"""Opens the database that the settings name: a file that is owned, or a PostgreSQL that is shared."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from bot.settings import Settings
from engine.clock import Clock, SystemClock
from engine.errors import Unavailable
from engine.ids import Ids
from engine.store.database import Database
from engine.store.migrations import migrate
from engine.store.moving import demand_live
from engine.store.ownership import owned
from engine.store.postgres import Surroundings, migrated, opened_on
from engine.store.postgres_url import shown_url
from engine.store.sqlite import opened
from engine.tokens import Tokens


@asynccontextmanager
async def database_of(
    settings: Settings, *, clock: Clock | None, ids: Ids, tokens: Tokens
) -> AsyncGenerator[Database]:
    """The database, made or migrated, until the block ends. A shared one goes by its own clock.

    Raises:
        FileOwned: if another process owns the file. Unavailable: if it cannot be opened.
        Refused: `moved` or `not_restored`, if the file is not the one that servers work on.
    """
    if settings.shared_url is not None:
        around = Surroundings(ids=ids, tokens=tokens, clock=clock)
        async with opened_on(settings.shared_url, around) as shared:
            yield shared
        return
    path = settings.database_path
    _make_private(path)
    async with opened(path, clock=clock or SystemClock(), ids=ids, tokens=tokens) as database:
        await database.read(lambda tx: demand_live(tx.connection, path))
        yield database


def name_of(settings: Settings) -> str:
    """Which database it is, in words that may be shown."""
    if settings.shared_url is not None:
        return f"PostgreSQL at {shown_url(settings.shared_url)}"
    return str(settings.database_path)


def bring_up(settings: Settings) -> None:
    """Make or upgrade the schema.

    Raises:
        FileOwned: if another process owns the file. Unavailable: if it cannot be opened.
    """
    if settings.shared_url is not None:
        return asyncio.run(migrated(settings.shared_url))
    with owned(settings.database_path):
        return migrate(f"sqlite:///{settings.database_path}")


def _make_private(database: Path) -> None:
    try:
        # SQLite gives the files beside it the same mode.
        database.touch(mode=0o600)
    except OSError as error:
        raise Unavailable(
            f"The database {database} cannot be made: {error.strerror}.", code="no_database"
        ) from None
