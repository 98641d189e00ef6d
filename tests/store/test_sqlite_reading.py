"""Readers: each query is answered from one state of the file, by itself, and after all that was kept before."""

import asyncio
import threading
from pathlib import Path

import pytest
from sqlalchemy import select

from engine.errors import NotFound, Unavailable
from engine.ids import SystemIds
from engine.store.database import Transaction
from engine.store.meta import OLDEST_SCHEMA
from engine.store.sqlite import SqliteDatabase, opened
from engine.store.sqlite_reading import READERS
from engine.store.statements import add, find
from engine.store.tables import meta
from engine.tokens import Tokens
from tests.clock import ManualClock

pytestmark = pytest.mark.anyio


def keep(key: str) -> "Keep":
    return Keep(key)


class Keep:
    """Writes one row through the driver, as most deeds do."""

    def __init__(self, key: str) -> None:
        self.key = key

    def __call__(self, tx: Transaction) -> None:
        add(tx, meta, [{"key": self.key, "value": "kept"}])


def kept(tx: Transaction) -> set[str]:
    return {row.key for row in find(tx, meta, {})} - {OLDEST_SCHEMA}


def absent(_tx: Transaction) -> set[str]:
    raise NotFound("There is no such thing.")


async def test_a_reader_cannot_write_through_the_driver_either(database: SqliteDatabase) -> None:
    with pytest.raises(Unavailable, match="readonly"):
        await database.read(keep("a"))

    assert await database.read(kept) == set()


async def test_a_query_that_fails_leaves_those_beside_it_alone(database: SqliteDatabase) -> None:
    await database.write(keep("a"))
    queries = [absent if number % 3 == 0 else kept for number in range(60)]

    answers = await asyncio.gather(
        *(database.read(query) for query in queries), return_exceptions=True
    )

    assert [
        isinstance(answer, NotFound) if number % 3 == 0 else answer == {"a"}
        for number, answer in enumerate(answers)
    ] == [True] * 60


async def test_a_query_sees_all_that_was_kept_before_it_was_asked(
    database: SqliteDatabase,
) -> None:
    async def kept_and_seen(number: int) -> bool:
        await database.write(keep(f"k{number}"))
        return f"k{number}" in await database.read(kept)

    assert all(await asyncio.gather(*(kept_and_seen(number) for number in range(100))))


async def test_a_query_reads_one_state_however_it_asks(database: SqliteDatabase) -> None:
    begun, released = threading.Event(), threading.Event()

    def twice(tx: Transaction) -> tuple[int, int]:
        before = len(kept(tx))
        begun.set()
        released.wait(60)
        given = select(meta.c.key).where(meta.c.key != OLDEST_SCHEMA)
        return before, len(tx.connection.execute(given).all())

    async with asyncio.TaskGroup() as group:
        reading = group.create_task(database.read(twice))
        await asyncio.to_thread(begun.wait, 60)
        await database.write(keep("a"))
        released.set()

    assert (reading.result(), await database.read(kept)) == ((0, 0), {"a"})


async def test_queries_that_take_long_leave_one_reader_for_the_others(
    database: SqliteDatabase,
) -> None:
    released = threading.Event()
    all_begun = threading.Barrier(READERS, timeout=60)

    def long(_tx: Transaction) -> None:
        all_begun.wait()
        released.wait(60)

    async with asyncio.TaskGroup() as group:
        for _number in range(READERS - 1):
            group.create_task(database.read(long))
        await asyncio.to_thread(all_begun.wait)
        answers = await asyncio.gather(*(database.read(kept) for _number in range(50)))
        released.set()

    assert answers == [set()] * 50


async def test_whoever_stops_waiting_stops_nobody_else(database: SqliteDatabase) -> None:
    begun, released = threading.Event(), threading.Event()

    def long(_tx: Transaction) -> None:
        begun.set()
        released.wait(60)

    async with asyncio.TaskGroup() as group:
        gone = group.create_task(database.read(long))
        await asyncio.to_thread(begun.wait, 60)
        gone.cancel()
        answers = await asyncio.gather(*(database.read(kept) for _number in range(20)))
        released.set()

    assert gone.cancelled()
    assert answers == [set()] * 20


async def test_a_store_that_is_closed_answers_no_more(
    tmp_path: Path, clock: ManualClock, tokens: Tokens
) -> None:
    path = tmp_path / "closed.db"
    begun = threading.Event()

    def last(tx: Transaction) -> set[str]:
        begun.set()
        return kept(tx)

    async with (
        asyncio.TaskGroup() as group,
        opened(path, clock=clock, ids=SystemIds(), tokens=tokens) as database,
    ):
        asked = [group.create_task(database.read(last)) for _number in range(50)]
        await asyncio.to_thread(begun.wait, 60)

    assert [each.result() for each in asked] == [set()] * 50
    with pytest.raises(Unavailable, match="closed"):
        await database.read(kept)
    assert not path.with_name("closed.db-wal").exists()


async def test_the_writer_is_the_last_to_leave_and_takes_the_log_along(
    tmp_path: Path, clock: ManualClock, tokens: Tokens
) -> None:
    path = tmp_path / "closed.db"
    all_begun, released = threading.Barrier(READERS + 1, timeout=60), threading.Event()

    def long(_tx: Transaction) -> None:
        all_begun.wait()
        released.wait(60)

    async with (
        opened(path, clock=clock, ids=SystemIds(), tokens=tokens) as database,
        asyncio.TaskGroup() as group,
    ):
        for _number in range(READERS):
            group.create_task(database.read(long))
        await asyncio.to_thread(all_begun.wait)
        closing = group.create_task(database.close())
        try:
            await group.create_task(database.write(keep("a")))  # while the readers are still there
        finally:
            released.set()
        await closing

    assert not path.with_name("closed.db-wal").exists()
