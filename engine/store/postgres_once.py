"""What is done once at a PostgreSQL, on a connection of its own: looking, migrating, granting."""

from collections.abc import Callable
from importlib.util import find_spec
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from engine.errors import Unavailable
from engine.store.migrations import migrate_over
from engine.store.postgres_connecting import connecting_patiently
from engine.store.postgres_errors import unopened
from engine.store.postgres_url import shown_url
from engine.store.row_security import grant

T = TypeVar("T")


async def migrated(url: str) -> None:
    """Make or upgrade the schema at `url`; others that do so at the same time wait.

    Raises:
        Unavailable: when it cannot be reached, or was made by a newer version.
    """
    await over(url, migrate_over)


async def granted(url: str, role: str) -> None:
    """Let `role` do at `url` what the application does, and no more; by whoever owns the tables.

    Raises:
        Unavailable: when it cannot be reached, there is no such role, or we may not.
    """
    await over(url, lambda connection: grant(connection, role))


async def over(url: str, told: Callable[[Connection], T]) -> T:
    """What `told` gives in one transaction at `url`, which may take as long as it takes.

    Raises:
        Unavailable: when it cannot be reached; and all that `told` raises.
    """
    if find_spec("asyncpg") is None:
        raise Unavailable(
            "PostgreSQL needs its driver: pip install 'signoff[server,postgres]'.",
            code="no_database",
        )
    # Brings SQLAlchemy's mapper with it: whoever works on a file does without.
    from sqlalchemy.ext.asyncio import create_async_engine

    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=connecting_patiently(url, name="signoff migrate"),
        poolclass=NullPool,
    )
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(told)
    except (DBAPIError, OSError) as error:
        raise unopened(error, f"PostgreSQL at {shown_url(url)}") from error
    finally:
        await engine.dispose()
