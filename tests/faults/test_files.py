"""The SQLite file misbehaves: it is full, closed, held, taken away. Nothing acknowledged is lost, all goes on."""

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncGenerator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from engine.clock import SystemClock
from engine.errors import EngineError, NotRecorded, Unavailable
from engine.ids import SystemIds
from engine.store.database import Transaction
from engine.store.sqlite import SqliteDatabase, opened
from engine.store.sqlite_files import LOG_BYTES_MAX
from engine.tokens import Tokens
from tests.faults.disks import small_disk
from tests.faults.rows import MEGABYTE, Row, keep, kept

pytestmark = pytest.mark.anyio


@pytest.fixture
async def open_file(file: Path, ids: SystemIds, tokens: Tokens) -> AsyncGenerator[SqliteDatabase]:
    async with opened(file, clock=SystemClock(), ids=ids, tokens=tokens) as database:
        yield database


class Limited:
    """Lets the file grow to so many pages."""

    def __init__(self, pages: int) -> None:
        self.pages = pages

    def __call__(self, tx: Transaction) -> None:
        tx.connection.execute(text(f"PRAGMA max_page_count = {self.pages}")).all()


async def told(database: SqliteDatabase, key: str) -> str:
    """What becomes of a megabyte."""
    try:
        await database.write(Row(key, MEGABYTE))
    except EngineError as error:
        return error.code
    return "kept"


async def test_a_file_that_may_not_grow_acknowledges_nothing_that_it_does_not_keep(
    open_file: SqliteDatabase,
) -> None:
    await open_file.write(keep("before"))
    await open_file.write(Limited(1))

    answers = await asyncio.gather(*(told(open_file, f"full {number}") for number in range(8)))
    during = await open_file.read(kept)
    await open_file.write(Limited(1_000_000))
    await open_file.write(keep("after"))

    assert set(answers) == {"store_full"}
    assert (during, await open_file.read(kept)) == (["before"], ["after", "before"])


async def test_a_full_disk_is_told_loses_nothing_and_takes_work_again_once_there_is_room(
    tmp_path: Path, migrated_file: Path, ids: SystemIds, tokens: Tokens
) -> None:
    with small_disk(tmp_path / "disk", megabytes=16) as disk:
        path = disk.path / "signoff.db"
        shutil.copyfile(migrated_file, path)
        async with opened(path, clock=SystemClock(), ids=ids, tokens=tokens) as database:
            answers = {
                f"k{number:02}": await told(database, f"k{number:02}") for number in range(8)
            }
            disk.fill()
            answers |= {
                f"k{number}": await told(database, f"k{number}") for number in range(10, 22)
            }
            disk.make_room()
            await database.write(keep("k99"))
            found = await database.read(kept)

    assert set(answers.values()) == {"kept", "store_full"}
    assert found == [*sorted(key for key, said in answers.items() if said == "kept"), "k99"]


async def test_a_start_on_a_read_only_disk_is_refused_with_what_to_do(
    tmp_path: Path, migrated_file: Path, ids: SystemIds, tokens: Tokens
) -> None:
    with small_disk(tmp_path / "disk", megabytes=16) as disk:
        path = disk.path / "signoff.db"
        shutil.copyfile(migrated_file, path)
        disk.close()

        with pytest.raises(Unavailable, match=r"Make .* writable for this user") as refused:
            async with opened(path, clock=SystemClock(), ids=ids, tokens=tokens):
                pass
        disk.open()

    assert refused.value.code == "store_read_only"


async def test_a_missing_folder_says_how_to_make_it(
    tmp_path: Path, ids: SystemIds, tokens: Tokens
) -> None:
    path = tmp_path / "nowhere" / "signoff.db"

    with pytest.raises(Unavailable, match=r"mkdir -p .*nowhere$") as refused:
        async with opened(path, clock=SystemClock(), ids=ids, tokens=tokens):
            pass

    assert refused.value.code == "no_database"


async def test_a_file_that_was_taken_away_takes_nothing_until_it_is_back(
    open_file: SqliteDatabase,
) -> None:
    away = open_file.path.with_suffix(".away")
    await open_file.write(keep("before"))
    open_file.path.rename(away)

    with pytest.raises(Unavailable, match="was removed or replaced") as refused:
        await open_file.write(keep("during"))
    with pytest.raises(Unavailable, match="put back what was there"):
        await open_file.read(kept)
    is_made_anew = open_file.path.exists()
    away.rename(open_file.path)
    await open_file.write(keep("after"))

    assert (refused.value.code, is_made_anew) == ("store_moved", False)
    assert await open_file.read(kept) == ["after", "before"]


@pytest.mark.parametrize("suffix", ["", "-wal"])
async def test_a_file_that_was_replaced_takes_nothing(
    open_file: SqliteDatabase, suffix: str
) -> None:
    await open_file.write(keep("before"))
    file = open_file.path.with_name(open_file.path.name + suffix)
    other = file.with_suffix(".other")
    shutil.copyfile(file, other)
    other.rename(file)

    with pytest.raises(Unavailable, match="restart Signoff to go on") as refused:
        await open_file.write(keep("during"))

    assert refused.value.code == "store_moved"


async def test_a_file_that_goes_while_it_is_written_to_is_not_said_to_be_recorded(
    open_file: SqliteDatabase,
) -> None:
    def removed(tx: Transaction) -> None:
        keep("during")(tx)
        open_file.path.unlink()

    with pytest.raises(Unavailable, match="Nothing of it was kept") as refused:
        await open_file.write(removed)

    assert not isinstance(refused.value, NotRecorded)


async def test_whoever_reads_for_long_fails_nothing_and_the_log_is_short_again_afterwards(
    open_file: SqliteDatabase,
) -> None:
    log = open_file.path.with_name(open_file.path.name + "-wal")
    rows = 2 * LOG_BYTES_MAX // MEGABYTE
    await open_file.write(keep("before"))
    with closing(sqlite3.connect(open_file.path)) as somebody:
        somebody.execute("BEGIN").close()
        seen = somebody.execute("SELECT count(*) FROM meta").fetchall()
        answers = {await told(open_file, f"k{number}") for number in range(rows)}
        grown = log.stat().st_size
        again = somebody.execute("SELECT count(*) FROM meta").fetchall()
    for number in range(16):
        await open_file.write(Row(f"after {number}", MEGABYTE))

    assert (answers, seen) == ({"kept"}, again)
    assert grown > LOG_BYTES_MAX >= log.stat().st_size


@pytest.mark.slow
async def test_another_program_that_holds_the_file_is_told_and_afterwards_all_goes_on(
    open_file: SqliteDatabase,
) -> None:
    with closing(sqlite3.connect(open_file.path)) as somebody:
        somebody.execute("BEGIN IMMEDIATE").close()
        with pytest.raises(Unavailable, match=r"Another program holds.*close that program") as busy:
            await open_file.write(keep("during"))
    await open_file.write(keep("after"))

    assert busy.value.code == "store_busy"
    assert await open_file.read(kept) == ["after"]
