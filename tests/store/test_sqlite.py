"""The writer: deeds are whole, share commits without sharing failures, and belong to one process."""

import asyncio
import multiprocessing
import sqlite3
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text

from engine.errors import FileOwned, Invalid, NotRecorded, Unavailable
from engine.ids import SystemIds
from engine.store.database import Transaction
from engine.store.meta import OLDEST_SCHEMA
from engine.store.ownership import is_owned, owned
from engine.store.sqlite import SqliteDatabase, opened
from engine.store.tables import meta
from engine.tokens import Tokens
from tests.clock import ManualClock

pytestmark = pytest.mark.anyio


def keep(key: str) -> "Deed":
    return Deed(key)


class Deed:
    """Writes one row; may fail after it has written."""

    def __init__(self, key: str, error: Exception | None = None) -> None:
        self.key, self.error = key, error

    def __call__(self, tx: Transaction) -> str:
        tx.connection.execute(insert(meta).values(key=self.key, value="kept"))
        tx.hint(f"kept:{self.key}")
        if self.error is not None:
            raise self.error
        return self.key


def kept(tx: Transaction) -> list[str]:
    given = select(meta.c.key).where(meta.c.key != OLDEST_SCHEMA).order_by(meta.c.key)
    return [row.key for row in tx.connection.execute(given)]


async def test_a_deed_that_fails_undoes_itself_alone(database: SqliteDatabase) -> None:
    deeds = [keep("a"), Deed("b", Invalid("no")), keep("c")]

    answers = await asyncio.gather(
        *(database.write(deed) for deed in deeds), return_exceptions=True
    )

    assert [type(answer) for answer in answers] == [str, Invalid, str]
    assert await database.read(kept) == ["a", "c"]


async def test_a_broken_constraint_is_said_and_undone(database: SqliteDatabase) -> None:
    await database.write(keep("a"))

    with pytest.raises(Unavailable, match="Nothing of it was kept"):
        await database.write(keep("a"))

    assert await database.read(kept) == ["a"]


async def test_a_reader_cannot_write(database: SqliteDatabase) -> None:
    with pytest.raises(Unavailable, match="readonly"):
        await database.read(keep("a"))

    assert await database.read(kept) == []


async def test_a_caller_who_waits_no_longer_is_told_that_it_may_still_land(
    database: SqliteDatabase,
) -> None:
    released = threading.Event()

    def slow(tx: Transaction) -> None:
        released.wait()
        keep("slow")(tx)

    with pytest.raises(NotRecorded, match="it counts once"):
        await database.write(slow, within=timedelta(milliseconds=20))
    released.set()
    await database.write(keep("after"))

    assert await database.read(kept) == ["after", "slow"]


async def test_hints_come_after_the_commit_and_only_from_what_was_kept(
    database: SqliteDatabase,
) -> None:
    heard: list[list[str]] = []

    with database.hints.listen("kept:a") as good, database.hints.listen("kept:b") as bad:
        await database.write(keep("a"))
        await good.wait(timedelta(seconds=5))
        heard.append(await database.read(kept))
        with pytest.raises(Invalid):
            await database.write(Deed("b", Invalid("no")))
        await bad.wait(timedelta(milliseconds=1))

    assert heard == [["a"]]


async def test_deeds_that_wait_together_share_a_commit(
    database: SqliteDatabase, tmp_path: Path
) -> None:
    released = threading.Event()

    async with asyncio.TaskGroup() as group:
        group.create_task(database.write(lambda _tx: released.wait()))
        for number in range(50):
            group.create_task(database.write(keep(f"k{number}")))
        group.create_task(asyncio.to_thread(released.set))

    assert len(await database.read(kept)) == 50


async def test_a_second_owner_is_refused_and_told_who_the_first_is(
    database: SqliteDatabase, clock: ManualClock, tokens: Tokens
) -> None:
    with pytest.raises(FileOwned, match=r"Process \d+ already owns .*PostgreSQL"):
        async with opened(database.path, clock=clock, ids=SystemIds(), tokens=tokens):
            pass

    assert is_owned(database.path)


def test_the_file_is_free_again_when_its_owner_was_killed(tmp_path: Path) -> None:
    path = tmp_path / "signoff.db"
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    owner = context.Process(target=_own_for_ever, args=(str(path), ready))
    owner.start()
    ready.wait(30)
    was_owned = is_owned(path)

    owner.kill()
    owner.join()

    assert (was_owned, is_owned(path)) == (True, False)


async def test_what_was_answered_is_on_disk(database: SqliteDatabase, tmp_path: Path) -> None:
    await database.write(keep("a"))

    with sqlite3.connect(f"file:{database.path}?mode=ro", uri=True) as other:
        found = other.execute("SELECT key FROM meta WHERE key = 'a'").fetchall()
        mode = other.execute("PRAGMA journal_mode").fetchone()

    assert (found, mode) == ([("a",)], ("wal",))
    assert await database.write(_synchronous) == 2  # FULL


def _synchronous(tx: Transaction) -> int:
    return int(tx.connection.execute(text("PRAGMA synchronous")).scalar_one())


def _own_for_ever(path: str, ready: "threading.Event") -> None:
    with owned(Path(path)):
        ready.set()
        threading.Event().wait()
