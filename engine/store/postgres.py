"""PostgreSQL: any number of processes share it, and each deed is one transaction on its own connection.

Rows are locked in one order: an approval, then its run, then what hangs on them (votes, timers,
messages, deliveries), and the audit chain last. Whoever takes up work (claims of runs and deliveries,
timers with their approvals) skips what is locked and waits for nothing. Where two wait for each other
all the same, PostgreSQL ends one of them, and its deed is done again from its beginning.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from importlib.util import find_spec
from typing import Any, Final, TypeVar

import structlog
from sqlalchemy import Connection, func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from engine.clock import Clock, SystemClock
from engine.errors import Unavailable
from engine.ids import Ids, TenantId
from engine.store.apart import OneTenants, is_above_policies
from engine.store.database import Database, Transaction
from engine.store.hints import Hints
from engine.store.line import Line
from engine.store.migrations import migrate_over
from engine.store.postgres_errors import (
    CLOSED,
    is_away,
    is_race,
    is_taken,
    reason,
    refusal,
    unopened,
    unsure,
)
from engine.store.postgres_hints import Bells
from engine.store.postgres_pool import pooled
from engine.store.postgres_url import connecting, connecting_patiently, shown_url
from engine.store.row_security import grant
from engine.store.shared_clock import SharedClock
from engine.store.work import Work, confirmed, forget
from engine.tokens import Tokens

T = TypeVar("T")

log = structlog.get_logger("engine.store")

# Before a deed is done again, each a little longer for some than for others: three seconds in all.
PAUSES: Final = tuple(timedelta(milliseconds=pause) for pause in (20, 100, 300, 800, 2_000))
LOOKS: Final = 2  # at a key that is taken: whoever was faster has committed by then
_NOW: Final = select(func.signoff_now())


@dataclass(frozen=True, slots=True, kw_only=True)
class Width:
    """How many connections a process holds at most, beside the one that listens."""

    writers: int = 12
    readers: int = 4


class PostgresDatabase:
    """Deeds run side by side at READ COMMITTED, and queries over one state that nothing changes.

    A deed that lost a race or its connection before it was committed is done again, a few times; it
    must therefore do nothing but write to its transaction.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        bells: Bells,
        group: asyncio.TaskGroup,
        *,
        hints: Hints,
        surroundings: "Surroundings",
        width: Width,
    ) -> None:
        self.hints = hints
        self._engine, self._bells, self._group = engine, bells, group
        self._reader = engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
        self._line = Line()
        self._around = surroundings
        self._writing = asyncio.Semaphore(width.writers)
        self._reading = asyncio.Semaphore(width.readers)
        self._pauses = SystemClock()
        self._under_way: set[Work[Any]] = set()
        self._is_closed = False
        self._quiet = asyncio.Event()

    def of(self, tenant: TenantId) -> Database:
        return OneTenants(self, tenant) if self._around.is_guarded else self

    def submit(self, deed: Callable[[Transaction], T]) -> asyncio.Future[T]:
        if self._is_closed:
            raise Unavailable(CLOSED)
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        answer.add_done_callback(forget)
        self._group.create_task(self._do(Work(deed, answer)))
        return answer

    async def write(
        self, deed: Callable[[Transaction], T], *, within: timedelta | None = None
    ) -> T:
        return await confirmed(self.submit(deed), within)

    async def read(self, query: Callable[[Transaction], T]) -> T:
        async def once() -> T:
            async with self._reading, self._reader.connect() as connection:
                return await connection.run_sync(lambda sync: query(self._transaction(sync)))

        return await self._until_it_is_there(once)

    async def close(self) -> None:
        """Finish what is under way; what comes later is refused."""
        self._is_closed = True
        while self._under_way:
            self._quiet.clear()
            await self._quiet.wait()

    async def _do(self, work: Work[Any]) -> None:
        self._under_way.add(work)
        try:
            await self._until_it_is_there(lambda: self._once(work))
        except asyncio.CancelledError:
            work.fail(unsure())
            raise
        except BaseException as error:  # border: whatever a deed raises belongs to its caller alone
            work.fail(error)
        finally:
            self._under_way.discard(work)
            work.settle()
            if not work.failed:
                self._bells.tell(work.hints)
            if not self._under_way:
                self._quiet.set()

    async def _once(self, work: Work[Any]) -> None:
        is_committing = False  # once it is, nobody but the server can say what became of it

        def run(connection: Connection) -> None:
            transaction = self._transaction(connection)
            work.run(transaction)
            work.hints = transaction.hints

        try:
            async with self._writing, self._engine.connect() as connection:
                await connection.run_sync(run)
                is_committing = True
                await connection.commit()
        except (DBAPIError, OSError, asyncio.CancelledError) as error:
            if is_committing and (isinstance(error, asyncio.CancelledError) or is_away(error)):
                raise unsure() from error
            raise

    async def _until_it_is_there(self, once: Callable[[], Awaitable[T]]) -> T:
        try:
            async with self._line.patience():
                answer = await self._again_and_again(once)
        except TimeoutError as error:
            raise refusal(error) from error
        self._line.served()
        return answer

    async def _again_and_again(self, once: Callable[[], Awaitable[T]]) -> T:
        for number, pause in enumerate((*PAUSES, None)):
            try:
                return await once()
            except (DBAPIError, OSError) as error:
                again = is_race(error) or is_away(error) or (is_taken(error) and number < LOOKS)
                if pause is None or not again:
                    raise refusal(error) from error
                log.info("store.tried_again", reason=reason(error))
                await self._pauses.sleep(pause * (0.5 + self._around.ids.fraction()))
        raise Unavailable(CLOSED)

    def _transaction(self, connection: Connection) -> Transaction:
        around = self._around

        def now() -> datetime:
            if around.clock is not None:
                return around.clock.now()
            asked_at = time.monotonic()
            moment: datetime = connection.execute(_NOW).scalar_one()
            around.kept.hear(moment, asked_at=asked_at)
            return moment

        return Transaction(connection, now, around.ids, around.tokens, is_guarded=around.is_guarded)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What deeds are handed. Without a `clock` the database's own tells the moment, to everybody the same;
    `kept` goes on with what it told, for whoever needs the moment outside a deed.
    """

    ids: Ids
    tokens: Tokens
    clock: Clock | None = None
    kept: SharedClock = field(default_factory=SharedClock)
    is_guarded: bool = False  # found out when it is opened: whether policies hold for our role


@asynccontextmanager
async def opened_on(
    url: str, surroundings: Surroundings, *, width: Width | None = None
) -> AsyncGenerator[PostgresDatabase]:
    """The database at `url`, made or migrated first, shared with others, until the block ends.

    Raises:
        Unavailable: when it cannot be reached, or was made by a newer version.
    """
    await migrated(url)
    surroundings = replace(surroundings, is_guarded=not await over(url, is_above_policies))
    width = width or Width()
    hints = Hints()
    bells = Bells(connecting(url, name="signoff hints"), hints)
    raised: Exception | None = None
    async with (
        pooled(url, size=width.writers + width.readers) as engine,
        asyncio.TaskGroup() as group,
    ):
        listening = group.create_task(bells.run())
        database = PostgresDatabase(
            engine, bells, group, hints=hints, surroundings=surroundings, width=width
        )
        try:
            yield database
        except Exception as error:  # border: the block's own, and no failure of these tasks
            raised = error
        await database.close()
        listening.cancel()
    if raised is not None:
        raise raised


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
