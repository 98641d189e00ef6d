"""PostgreSQL: any number of processes share it, and each deed is one transaction on its own connection.

Rows are locked in one order: a case, an approval, then its run, then what hangs on them (votes, timers,
messages, deliveries), and the audit chain last. Whoever takes up work (claims of runs and deliveries,
timers with their approvals) skips what is locked and waits for nothing. Where two wait for each other
all the same, PostgreSQL ends one of them, and its deed is done again from its beginning.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final, TypeVar

import structlog
from sqlalchemy import Connection, func, select
from sqlalchemy.exc import DBAPIError

from engine.clock import Clock, SystemClock
from engine.errors import Unavailable
from engine.ids import Ids, TenantId
from engine.store.apart import OneTenants, is_above_policies
from engine.store.columns import Moment
from engine.store.custom import Custom
from engine.store.database import Database, Driver, Transaction
from engine.store.hints import Hints
from engine.store.line import Line
from engine.store.postgres_connecting import connecting
from engine.store.postgres_driver import Kept
from engine.store.postgres_errors import (
    CLOSED,
    is_away,
    is_race,
    is_taken,
    reason,
    refusal,
    unsure,
)
from engine.store.postgres_hints import Bells
from engine.store.postgres_once import migrated, over
from engine.store.postgres_pool import Pool, pooled
from engine.store.postgres_session import ALONE, BESIDE_OTHERS, READING, Session, riding, session
from engine.store.prepared import Prepared
from engine.store.shared_clock import SharedClock
from engine.store.together import OnItsOwnError, Together
from engine.store.work import Work, confirmed, forget
from engine.tokens import Tokens

T = TypeVar("T")

log = structlog.get_logger("engine.store")

# Before a deed is done again, each a little longer for some than for others: three seconds in all.
PAUSES: Final = tuple(timedelta(milliseconds=pause) for pause in (20, 100, 300, 800, 2_000))
LOOKS: Final = 2  # at a key that is taken: whoever was faster has committed by then
_NOW: Final = Prepared(select(func.signoff_now(type_=Moment()).label("moment")))


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
        pool: Pool,
        bells: Bells,
        group: asyncio.TaskGroup,
        *,
        hints: Hints,
        surroundings: "Surroundings",
        width: Width,
    ) -> None:
        self.hints = hints
        self._pool, self._bells, self._group = pool, bells, group
        self._kept = Kept()
        self._together = Together(group, self._all_at_once)
        self.custom = Custom()
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
            async with self._reading, self._session(READING) as session:
                return await session.run(query)

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
            await self._until_it_is_there(self._attempts(work))
        except asyncio.CancelledError:
            work.fail(unsure())
            raise
        except BaseException as error:  # border: whatever a deed raises belongs to its caller alone
            work.fail(error)
        finally:
            self._under_way.discard(work)
            work.settle()
            if not work.failed:
                self._bells.tell(work.hints.union(*(each.hints for each in work.riders)))
            for rider in work.riders:  # behind the ring that they rode with
                rider.settle()
            if not self._under_way:
                self._quiet.set()

    def _attempts(self, work: Work[Any]) -> Callable[[], Awaitable[None]]:
        """What tries `work`: with those who wait as well at first, and alone from then on."""
        is_first = True

        async def once() -> None:
            nonlocal is_first
            if is_first:
                is_first = False
                with suppress(OnItsOwnError):
                    return await self._together.do(work)
            return await self._alone(work)

        return once

    async def _alone(self, work: Work[Any]) -> None:
        async with self._writing, self._session(ALONE) as session:
            await session.run(work.run)
            await session.commit()

    async def _with_riders(self, work: Work[Any]) -> None:
        async with self._writing, self._session(ALONE) as session:
            with riding(work):
                await session.run_with_riders(work, self.hints.riders)
                await session.commit()

    async def _all_at_once(self, batch: Sequence[Work[Any]]) -> None:
        if len(batch) == 1:
            return await self._with_riders(batch[0])
        async with self._writing, self._session(BESIDE_OTHERS) as session:
            left = batch
            if not self._around.is_guarded:
                left = await session.run_abreast(batch, self.custom)
            for work in left:
                await session.run(partial(_do_beside_others, work))
            await session.commit()
        return None

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

    def _session(self, begin: str) -> AbstractAsyncContextManager[Session]:
        return session(self._pool, self._kept, begin, self._transaction)

    def _transaction(self, connection: Connection, driver: Driver) -> Transaction:
        around = self._around

        asked_at = time.monotonic()  # or later: an answer is believed the less for it

        def now() -> datetime:
            if around.clock is not None:
                return around.clock.now()
            moment: datetime = _NOW.rows(transaction, {})[0].moment
            hear(moment)
            return moment

        def hear(moment: datetime) -> None:
            around.kept.hear(moment, asked_at=asked_at)

        guarded = around.is_guarded
        transaction = Transaction(
            connection, now, around.ids, around.tokens, driver, is_guarded=guarded
        )
        transaction.heard = hear if around.clock is None else None
        return transaction


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
        pooled(url, size=width.writers + width.readers) as pool,
        asyncio.TaskGroup() as group,
    ):
        listening = group.create_task(bells.run())
        database = PostgresDatabase(
            pool, bells, group, hints=hints, surroundings=surroundings, width=width
        )
        try:
            yield database
        except Exception as error:  # border: the block's own, and no failure of these tasks
            raised = error
        await database.close()
        listening.cancel()
    if raised is not None:
        raise raised


def _do_beside_others(work: Work[Any], tx: Transaction) -> None:
    """Do `work` in a transaction that is not its alone.

    Raises:
        OnItsOwnError: when it failed and may have written something before: nobody's is kept.
    """
    try:
        work.run(tx)
    except DBAPIError as error:
        raise OnItsOwnError from error
    except Exception as error:  # border: whatever a deed raises belongs to its caller alone
        if tx.may_have_written:
            raise OnItsOwnError from error
        work.fail(error)
