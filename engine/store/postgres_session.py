"""One transaction on PostgreSQL, begun and ended by ourselves, so that statements may go straight to the driver."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from engine.errors import Unavailable
from engine.failpoints import Boundary
from engine.store.abreast import Abreast
from engine.store.custom import Custom
from engine.store.database import Driver, Transaction
from engine.store.hints import Riders
from engine.store.postgres_driver import Kept, PostgresDriver
from engine.store.postgres_errors import is_away, is_read_only, refusal, unsure
from engine.store.postgres_pool import Pool
from engine.store.together import OnItsOwnError
from engine.store.work import Work

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

T = TypeVar("T")

ALONE: Final = "BEGIN ISOLATION LEVEL READ COMMITTED"
# Who waits for a row holds up all that share the transaction: soon each goes on alone.
BESIDE_OTHERS: Final = f"{ALONE}; SET LOCAL lock_timeout = '1s'"
READING: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
COMMIT: Final = Boundary("commit.postgres", breaks=lambda: ConnectionResetError("The line broke."))
_UNDONE: Final = "The database undid what was to be committed, and nothing was kept. Try again."


class Session:
    """A transaction that is under way. Several deeds may be done in it, one after the other."""

    def __init__(
        self,
        connection: "AsyncConnection",
        driver: PostgresDriver,
        made: Callable[[Connection, Driver], Transaction],
    ) -> None:
        self._connection, self._driver, self._made = connection, driver, made
        self._before: Transaction | None = None
        self._deeds: set[str] = set()
        self.is_over = False

    async def run(self, deed: Callable[[Transaction], T]) -> T:
        """What `deed` gives; its rows are kept once the session is committed."""
        return await self._connection.run_sync(lambda sync: self._done(deed, self._next(sync)))

    async def run_with_riders(self, work: Work[Any], riders: Riders) -> None:
        """Do `work`, and along with it those of `riders` who wait for what it hints at.

        Raises:
            OnItsOwnError: when one of them failed: nothing is to be kept, and `work` to be done alone.
        """
        await self.run(work.run)
        work.riders = boarded = riders.board(work.hints)
        for rider in boarded:
            rider.board_beside_others()
            try:
                await self._connection.run_sync(partial(self._ridden, rider))
            except Exception as error:  # border: it is not its carrier's fault
                rider.fail(_told(error))
                raise OnItsOwnError from error

    async def run_abreast(self, batch: Sequence[Work[Any]], custom: Custom) -> list[Work[Any]]:
        """Do what of `batch` can be done side by side; gives the others, of which nothing was done.

        Raises:
            OnItsOwnError: when nothing of what was done may be kept.
        """
        sync, begun = self._connection.sync_connection, list[Transaction]()
        if sync is None:
            return list(batch)

        def made(driver: Driver) -> Transaction:
            begun.append(self._made(sync, driver))
            return begun[-1]

        left = await Abreast(self._driver, made, custom).run(batch)
        self._deeds.update(*(transaction.deeds for transaction in begun))
        return left

    async def commit(self) -> None:
        """Return once all that was done is durable.

        Raises:
            NotRecorded: when the connection was lost meanwhile: only the server knows what became of it.
            Unavailable: when nothing was kept.
        """
        try:
            said = await COMMIT.through(self._driver.tell("COMMIT"), self._deeds)
        except (DBAPIError, OSError, asyncio.CancelledError) as error:
            if isinstance(error, asyncio.CancelledError) or is_away(error):
                raise unsure() from error
            raise
        self.is_over = True
        if said != "COMMIT":  # it answers so, and raises nothing, where a statement had failed
            raise Unavailable(_UNDONE)

    def _ridden(self, rider: Work[Any], sync: Connection) -> None:
        transaction, before = self._made(sync, self._driver), self._before
        if before is not None:
            transaction.ride_with(before)
        self._before = transaction
        self._done(rider.run, transaction)

    def _done(self, deed: Callable[[Transaction], T], transaction: Transaction) -> T:
        try:
            result = deed(transaction)
        except BaseException:  # border: whatever the deed raises, what it left is not written
            self._driver.forget()
            raise
        self._driver.settle()
        self._deeds |= transaction.deeds
        return result

    def _next(self, sync: Connection) -> Transaction:
        transaction = self._made(sync, self._driver)
        if self._before is not None:
            transaction.come_after(self._before)
        self._before = transaction
        return transaction


@contextmanager
def riding(work: Work[Any]) -> Generator[None]:
    """Where the block fails, those who ride with `work` hear of it, and look for themselves."""
    try:
        yield
    except BaseException as error:  # border: whatever it was, nobody else tells them
        for rider in work.riders:
            if not rider.failed:
                rider.fail(_told(error))
        raise


def _told(error: BaseException) -> BaseException:
    if isinstance(error, asyncio.CancelledError):
        return unsure()
    return refusal(error) if isinstance(error, DBAPIError | OSError) else error


@asynccontextmanager
async def session(
    pool: Pool,
    kept: Kept,
    begin: str,
    made: Callable[[Connection, Driver], Transaction],
) -> AsyncGenerator[Session]:
    """A transaction that ends with the block: undone, unless it was committed.

    A connection that leads nowhere, or whose state nobody knows, is parted with.
    """
    async with pool.engine.connect() as connection:
        raw = (await connection.get_raw_connection()).driver_connection
        driver = kept.driver(raw, connection.dialect)
        begun = Session(connection, driver, made)
        try:
            await driver.tell(begin)
            yield begun
            if not begun.is_over:
                await driver.tell("ROLLBACK")
        except (
            BaseException
        ) as error:  # border: whatever it was, the transaction must not stay open
            if not begun.is_over and not await _undone(driver, error):
                driver.cut()
                await connection.invalidate()
            if isinstance(error, OSError) or (is_read_only(error) and begin is not READING):
                pool.distrust()
            raise


async def _undone(driver: PostgresDriver, error: BaseException) -> bool:
    """Whether the connection is as it was before the transaction, and of use to others."""
    is_lost = isinstance(error, asyncio.CancelledError | OSError) or driver.is_closed
    if is_lost or is_read_only(error) or isinstance(error.__cause__, asyncio.CancelledError):
        return False
    try:
        await driver.tell("ROLLBACK")
    except (DBAPIError, OSError):
        return False
    return True
