"""SQLite's readers: a few threads that share one line of queries, each with a connection that cannot write."""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, TypeAlias, TypeVar

from sqlalchemy import Connection, Engine, NullPool, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from engine.errors import EngineError, Unavailable
from engine.store.database import Transaction
from engine.store.sqlite_driver import PATIENCE, SqliteDriver, driver_of, prepare
from engine.store.sqlite_errors import CLOSED, refusal
from engine.store.work import Work, forget

T = TypeVar("T")

READERS: Final = 4
TOGETHER_MAX: Final = (
    16  # queries over one state of the file: how many may wait for the first of them
)
LEFT_AFTER: Final = timedelta(seconds=5)  # a query that still runs at the end is left alone

Begin: TypeAlias = Callable[[Connection, SqliteDriver], Transaction]


class Readers:
    """Runs queries whole, each in one thread, over a state that holds whatever was kept before it was asked.

    A thread takes several that wait as one, so that a crowd costs few changes of thread, and leaves
    the others their share.
    """

    def __init__(self, path: Path, begin: Begin, *, check: Callable[[], None]) -> None:
        self._begin, self._check = begin, check
        self._loop = asyncio.get_running_loop()
        self._door, self._is_closed = threading.Lock(), False
        self._queue: queue.SimpleQueue[Work[Any] | None] = queue.SimpleQueue()
        self._database = _reading(path)
        self._threads = [
            threading.Thread(target=self._read_all, name=f"signoff-reader-{number}", daemon=True)
            for number in range(READERS)
        ]
        for thread in self._threads:
            thread.start()

    async def read(self, query: Callable[[Transaction], T]) -> T:
        """What `query` gives. Whoever stops waiting does not stop it.

        Raises:
            Unavailable: when the file cannot be read, as `check` says too, or the store is closed.
        """
        answer: asyncio.Future[T] = self._loop.create_future()
        answer.add_done_callback(forget)
        with self._door:
            if self._is_closed:
                raise Unavailable(CLOSED)
            self._queue.put(Work(query, answer))
        return await answer

    async def close(self) -> None:
        """Answer what waits, and read no more."""
        with self._door:
            self._is_closed = True
            for _thread in self._threads:
                self._queue.put(None)
        await asyncio.to_thread(self._wait)

    def _wait(self) -> None:
        for thread in self._threads:
            thread.join(LEFT_AFTER.total_seconds())

    def _read_all(self) -> None:
        connection: Connection | None = None
        try:
            while batch := self._next_batch():
                try:
                    self._check()
                    connection = connection or self._database.connect()
                    self._answer(connection, batch)
                except (SQLAlchemyError, sqlite3.Error, EngineError) as error:
                    for work in batch:  # it may pass: the next query tries again
                        work.fail(refusal(error))
                with suppress(RuntimeError):  # the loop has ended, and whoever waited with it
                    self._loop.call_soon_threadsafe(_settle, batch)
        finally:
            if connection is not None:
                connection.close()

    def _next_batch(self) -> list[Work[Any]]:
        first = self._queue.get()
        if first is None:
            return []
        batch = [first]
        share = min(self._queue.qsize() // READERS, TOGETHER_MAX - 1)
        with suppress(queue.Empty):
            for _more in range(share):
                following = self._queue.get_nowait()
                if following is None:
                    self._queue.put(None)  # it closes: what waits comes before
                    break
                batch.append(following)
        return batch

    def _answer(self, connection: Connection, batch: list[Work[Any]]) -> None:
        driver = driver_of(connection)
        driver.execute("BEGIN DEFERRED")
        try:
            for work in batch:
                _answer_one(work, self._begin(connection, SqliteDriver(driver)))
        finally:
            connection.rollback()  # what SQLAlchemy began, if anything was asked through it
            if driver.in_transaction:
                driver.execute("ROLLBACK")


def _answer_one(work: Work[Any], transaction: Transaction) -> None:
    try:
        work.run(transaction)
    except DBAPIError as error:
        work.fail(refusal(error))
    except BaseException as error:  # border: whatever a query raises belongs to its caller alone
        work.fail(error)


def _settle(batch: list[Work[Any]]) -> None:
    for work in batch:
        work.settle()


def _reading(path: Path) -> Engine:
    database = create_engine(
        f"sqlite:///{path}",
        connect_args={"isolation_level": None, "cached_statements": 512},
        poolclass=NullPool,
    )

    @event.listens_for(database, "connect")
    def _prepare(connection: DBAPIConnection, _record: object) -> None:
        # Only the writer may checkpoint: two connections doing so at once can corrupt the file in
        # SQLite before 3.51.3 (sqlite.org/wal.html#walresetbug).
        prepare(connection, "query_only=ON", "wal_autocheckpoint=0", PATIENCE)

    return database
