"""The connections of one process to PostgreSQL: opened as needed, parted with when they lead nowhere."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakSet

from sqlalchemy import ExceptionContext, event
from sqlalchemy.exc import InvalidatePoolError

from engine.store.postgres_connecting import connecting
from engine.store.postgres_errors import is_read_only

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

POOL_WITHIN: Final = timedelta(hours=1)  # whoever waits for a connection waits in our own line
CLOSED_WITHIN: Final = timedelta(seconds=3)


class Pool:
    """Connections that are kept. Transactions on them are begun and ended by whoever takes one."""

    def __init__(self, engine: "AsyncEngine") -> None:
        self.engine = engine
        self._is_distrusted = False
        event.listen(engine.sync_engine, "checkout", self._look)

    def distrust(self) -> None:
        """Part with every connection as old as now: what one of them met the others will meet too."""
        self._is_distrusted = True

    def _look(self, *_taken: object) -> None:
        if self._is_distrusted:
            self._is_distrusted = False
            raise InvalidatePoolError


@asynccontextmanager
async def pooled(url: str, *, size: int) -> AsyncGenerator[Pool]:
    """Up to `size` connections to `url`, all closed with the block, whether or not the server answers."""
    open_ones = WeakSet[Any]()
    connect = connecting(url, name="signoff")

    async def remembered() -> Any:
        connection = await connect()
        open_ones.add(connection)
        return connection

    # Brings SQLAlchemy's mapper with it: whoever works on a file does without.
    from sqlalchemy.ext.asyncio import create_async_engine

    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=remembered,
        isolation_level="AUTOCOMMIT",  # SQLAlchemy begins nothing by itself
        pool_size=size,
        max_overflow=0,
        pool_use_lifo=True,  # what was used last has everything prepared
        pool_timeout=POOL_WITHIN.total_seconds(),
    )
    event.listen(engine.sync_engine, "handle_error", _part_with_the_dead)
    try:
        yield Pool(engine)
    finally:
        await _close_all(engine, open_ones)


async def _close_all(engine: "AsyncEngine", open_ones: WeakSet[Any]) -> None:
    # One by one they say good-bye; a server that is silent would keep each for its whole time.
    def cut() -> None:
        for connection in list(open_ones):
            connection.terminate()

    cutting = asyncio.get_running_loop().call_later(CLOSED_WITHIN.total_seconds(), cut)
    try:
        await engine.dispose()
    finally:
        cutting.cancel()


def _part_with_the_dead(context: ExceptionContext) -> None:
    """Leave a connection, and all as old as it, that leads to a server that is silent or takes no writes.

    After a failover the old ones lead to what is a standby by now, and a session keeps what was set
    when it began.
    """
    error, connection = context.original_exception, context.connection
    reads = connection is not None and connection.get_execution_options().get("postgresql_readonly")
    if isinstance(error, OSError) or (is_read_only(error) and not reads):
        context.is_disconnect = True
