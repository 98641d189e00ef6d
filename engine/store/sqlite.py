"""SQLite: one process owns the file, one thread writes it, and deeds that wait together are committed together."""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Engine, RootTransaction, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from engine.clock import Clock
from engine.errors import EngineError, Unavailable
from engine.failpoints import Boundary
from engine.ids import Ids, TenantId
from engine.store.compacting import Compacting
from engine.store.database import Transaction
from engine.store.hints import Hints
from engine.store.migrations import migrate
from engine.store.ownership import owned
from engine.store.riding import Rider
from engine.store.sqlite_driver import PATIENCE, SqliteDriver, driver_of, prepare
from engine.store.sqlite_errors import CLOSED, broken, is_io_error, refusal, unsure
from engine.store.sqlite_files import LOG_BYTES_MAX, Files
from engine.store.sqlite_reading import Readers
from engine.store.work import Work, confirmed, forget
from engine.tokens import Tokens

T = TypeVar("T")

BATCH_MAX = 256  # deeds that share one commit: bounds how long the first of them waits

COMMIT: Final = Boundary("commit.sqlite", breaks=broken)


class SqliteDatabase:
    """Deeds run whole in the writer thread, a savepoint each and one commit for all that wait."""

    def __init__(self, path: Path, *, clock: Clock, ids: Ids, tokens: Tokens) -> None:
        self.path = path
        self.hints = Hints()
        self._clock, self._ids, self._tokens = clock, ids, tokens
        self._door, self._is_closed = threading.Lock(), False
        self._queue: queue.SimpleQueue[Work[Any] | None] = queue.SimpleQueue()
        self._set_aside: Work[Any] | None = None
        self._loop = asyncio.get_running_loop()
        self._files = Files(path)
        self._readers = Readers(path, self._transaction, check=self._files.check)
        self._thread = threading.Thread(target=self._write_all, name="signoff-writer", daemon=True)
        self._thread.start()

    def of(self, _tenant: TenantId) -> "SqliteDatabase":
        """Itself: whoever can open the file can read all of it, and only our own queries keep tenants apart."""
        return self

    def submit(self, deed: Callable[[Transaction], T]) -> asyncio.Future[T]:
        answer = self._begun(deed)
        answer.add_done_callback(forget)
        return answer

    def _begun(self, deed: Callable[[Transaction], T]) -> asyncio.Future[T]:
        answer: asyncio.Future[T] = self._loop.create_future()
        with self._door:
            if self._is_closed:
                raise Unavailable(CLOSED)
            self._queue.put(Work(deed, answer))
        return answer

    async def write(
        self, deed: Callable[[Transaction], T], *, within: timedelta | None = None
    ) -> T:
        return await confirmed(self._begun(deed), within)

    async def read(self, query: Callable[[Transaction], T]) -> T:
        return await self._readers.read(query)

    async def compact(self) -> bool:
        """Write the file anew, so that nothing of what was deleted is left in its free room or its log.

        Whoever writes waits meanwhile, about a second for each 100 MB. False if somebody read all the
        while, so that the log could not be emptied; it is the next time.

        Raises:
            Unavailable: if there is no room for it. Nothing is lost.
        """
        answer: asyncio.Future[bool] = self._loop.create_future()
        answer.add_done_callback(forget)
        with self._door:
            if self._is_closed:
                raise Unavailable(CLOSED)
            self._queue.put(Compacting(answer))
        return await asyncio.shield(answer)

    async def close(self) -> None:
        """Finish what waits, first what is read, then what is written; what comes later is refused."""
        # Whoever leaves last empties the log and takes it away. Of several at once each may find that
        # another is still there, and then it stays; and only the writer may do it.
        await self._readers.close()
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    def _transaction(self, connection: Connection, driver: SqliteDriver) -> Transaction:
        return Transaction(connection, self._clock.now, self._ids, self._tokens, driver)

    def _write_all(self) -> None:
        database = _writing(self.path)
        connection: Connection | None = None
        try:
            while batch := self._next_batch():
                try:
                    connection = connection or database.connect()
                except SQLAlchemyError as error:  # which may pass: the next batch tries again
                    _fail(batch, error)
                else:
                    if isinstance(batch[0], Compacting):
                        batch[0].compact(driver_of(connection))
                    else:
                        self._commit_together(connection, batch)
                self._loop.call_soon_threadsafe(self._settle, batch)
        finally:
            if connection is not None:
                connection.close()
            self._refuse_the_rest()
            database.dispose()

    def _refuse_the_rest(self) -> None:
        # Whoever still waits would wait for ever: this thread was the only one to answer.
        with self._door:
            self._is_closed = True
        left: list[Work[Any]] = []
        with suppress(queue.Empty):
            while True:
                work = self._queue.get_nowait()
                if work is not None:
                    work.fail(Unavailable(CLOSED))
                    left.append(work)
        if left:
            self._loop.call_soon_threadsafe(self._settle, left)

    def _next_batch(self) -> list[Work[Any]]:
        first, self._set_aside = self._set_aside or self._queue.get(), None
        if first is None:
            return []
        batch = [first]
        while len(batch) < BATCH_MAX and not isinstance(first, Compacting):
            try:
                following = self._queue.get_nowait()
            except queue.Empty:
                break
            if following is None:
                self._queue.put(None)  # the wish to close comes after what already waits
                break
            if isinstance(following, Compacting):
                self._set_aside = following  # its turn comes alone
                break
            batch.append(following)
        return batch

    def _commit_together(self, connection: Connection, batch: list[Work[Any]]) -> None:
        is_committing = False
        try:
            with connection.begin() as transaction:
                for work in batch:
                    self._run_one(connection, work)
                for rider in self.hints.riders.board(_hinted(batch)):
                    batch.append(rider)
                    self._run_one(connection, rider)
                self._files.meet()
                self._files.check()
                is_committing = True
                with COMMIT.crossing(_deeds(batch)):
                    _commit(transaction)
            self._files.check()
            self._files.shorten(driver_of(connection), patience=PATIENCE)
        except (SQLAlchemyError, sqlite3.Error, EngineError) as error:
            _fail(batch, error, is_committing=is_committing)

    def _run_one(self, connection: Connection, work: Work[Any]) -> None:
        driver = driver_of(connection)
        transaction = self._transaction(connection, SqliteDriver(driver))
        driver.execute("SAVEPOINT deed")
        try:
            work.run(transaction)
        except (DBAPIError, sqlite3.Error) as error:
            if not driver.in_transaction:
                raise  # with no room, SQLite undoes all that would have been committed together
            work.fail(refusal(error))
        except BaseException as error:  # border: whatever a deed raises belongs to its caller alone
            work.fail(error)
        if work.failed:
            driver.execute("ROLLBACK TO deed")
        driver.execute("RELEASE deed")

    def _settle(self, batch: list[Work[Any]]) -> None:
        for work in batch:
            if not isinstance(work, Rider):
                work.settle()
        self.hints.fire(_hinted(batch))
        for work in batch:
            if isinstance(work, Rider):
                work.settle()


@asynccontextmanager
async def opened(
    path: Path, *, clock: Clock, ids: Ids, tokens: Tokens
) -> AsyncGenerator[SqliteDatabase]:
    """The database in `path`, made or migrated first, and owned by this process until the block ends.

    Raises:
        FileOwned: when another process owns the file.
        Unavailable: when it cannot be opened, or was made by a newer version.
    """
    with owned(path):
        await asyncio.to_thread(migrate, f"sqlite:///{path}")
        database = SqliteDatabase(path, clock=clock, ids=ids, tokens=tokens)
        try:
            # The first to write makes the log, which nobody may read meanwhile; a disk that does not let
            # it be made tells whoever writes next.
            with suppress(Unavailable):
                await database.write(lambda _tx: None)
            yield database
        finally:
            await database.close()


def _writing(path: Path) -> Engine:
    database = create_engine(
        f"sqlite:///{path}", connect_args={"isolation_level": None, "cached_statements": 512}
    )

    @event.listens_for(database, "connect")
    def _prepare(connection: DBAPIConnection, _record: object) -> None:
        prepare(connection, "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", PATIENCE)
        prepare(connection, f"journal_size_limit={LOG_BYTES_MAX}")

    @event.listens_for(database, "begin")
    def _begin(connection: Connection) -> None:
        # A deferred transaction that reads first and writes later fails with SQLITE_BUSY the moment
        # another writer commits in between, and no busy_timeout helps.
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return database


def _commit(transaction: RootTransaction) -> None:
    try:
        transaction.commit()
    except BaseException:  # border: whatever the disk did, the next batch begins anew
        transaction.rollback()
        raise


def _hinted(batch: list[Work[Any]]) -> set[str]:
    return {topic for work in batch if not work.failed for topic in work.hints}


def _deeds(batch: list[Work[Any]]) -> set[str]:
    return {deed for work in batch if not work.failed for deed in work.deeds}


def _fail(batch: list[Work[Any]], error: Exception, *, is_committing: bool = False) -> None:
    # A disk that failed while it committed, and a file that was taken away: nobody knows what is kept.
    is_unsure = is_committing and (isinstance(error, EngineError) or is_io_error(error))
    for work in batch:
        if not work.failed:
            work.fail(unsure() if is_unsure else refusal(error))
