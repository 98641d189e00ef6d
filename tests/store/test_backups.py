"""Copies of a file: whole, closed to others, never over something, and put in place all or not at all."""

import asyncio
import shutil
import sqlite3
import stat
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from engine.clock import SystemClock
from engine.errors import EngineError, Fault, FileOwned, Invalid, Refused, Unavailable
from engine.ids import DEFAULT_TENANT
from engine.services import restoring
from engine.services.restoring import Restored
from engine.store import audit, meta
from engine.store.backups import Put, back_up, put_in_place
from engine.store.database import Transaction
from engine.store.ownership import owned
from engine.store.sqlite import SqliteDatabase
from tests.clock import NOON
from tests.services.rows import count

pytestmark = pytest.mark.anyio


@pytest.fixture
def file(tmp_path: Path, migrated_file: Path) -> Path:
    path = tmp_path / "signoff.db"
    shutil.copyfile(migrated_file, path)
    return path


@pytest.fixture
def copy(file: Path, tmp_path: Path) -> Path:
    return back_up(file, tmp_path / "backup.db", at=NOON).path


def began(tx: Transaction, since: int) -> Restored:
    return restoring.begin_anew(tx, since=since)


def put(copy: Path, path: Path) -> tuple[Put, Restored]:
    return put_in_place(copy, path, began, at=SystemClock().now())


@contextmanager
def open_file(path: Path) -> Generator[sqlite3.Connection]:
    with closing(sqlite3.connect(path)) as connection, connection:
        yield connection


def fact(path: Path, key: str) -> str | None:
    with open_file(path) as connection:
        row = connection.execute("SELECT value FROM meta WHERE key = ?", [key]).fetchone()
    return None if row is None else str(row[0])


def listing(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def test_nothing_is_overwritten(file: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")

    for taken in ("mine", "link"):
        with pytest.raises(Refused, match="is there already"):
            back_up(file, tmp_path / taken, at=NOON)

    assert (tmp_path / "mine").read_text() == "mine"
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize(
    ("content", "code"), [(b"no database at all" * 100, "no_database"), (b"", "no_database")]
)
async def test_what_is_no_database_of_ours_is_not_put_in_place(
    file: Path, tmp_path: Path, content: bytes, code: str
) -> None:
    wrong = tmp_path / "wrong.db"
    wrong.write_bytes(content)
    before = file.read_bytes()

    with pytest.raises(EngineError) as refused:
        put(wrong, file)

    assert refused.value.code == code
    assert file.read_bytes() == before
    assert listing(tmp_path) == ["signoff.db", "signoff.db.lock", "wrong.db"]


async def test_a_damaged_backup_is_not_put_in_place(copy: Path, file: Path) -> None:
    with copy.open("r+b") as bytes_of:
        bytes_of.seek(5 * 4096)
        bytes_of.write(b"\xff" * 4096 * 20)

    with pytest.raises(Fault, match="is damaged"):
        put(copy, file)

    assert fact(file, meta.EPOCH) is None


async def test_a_folder_that_is_not_there_is_told(file: Path, tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="cannot be written"):
        back_up(file, tmp_path / "missing" / "backup.db", at=NOON)


async def test_a_backup_of_a_newer_version_stays_out(copy: Path, file: Path) -> None:
    with open_file(copy) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(Unavailable, match="newer version"):
        put(copy, file)


async def test_nothing_is_replaced_under_a_running_server(copy: Path, file: Path) -> None:
    with owned(file), pytest.raises(FileOwned, match="Stop the server first"):
        put(copy, file)


async def test_a_backup_that_is_in_place_is_not_put_there(file: Path) -> None:
    with pytest.raises(Refused, match="in its place already"):
        put(file, file)


async def test_a_copy_taken_while_somebody_writes_is_one_moment(
    database: SqliteDatabase, tmp_path: Path
) -> None:
    def deed(tx: Transaction) -> None:
        audit.append(tx, DEFAULT_TENANT, "first", {})
        audit.append(tx, DEFAULT_TENANT, "second", {})

    async with asyncio.TaskGroup() as group:
        for _number in range(200):
            group.create_task(database.write(deed))
        await database.write(deed)
        path = tmp_path / "backup.db"
        done = await asyncio.to_thread(back_up, database.path, path, at=SystemClock().now())

    with open_file(path) as connection:
        kinds = [row[0] for row in connection.execute("SELECT kind FROM audit ORDER BY position")]
    assert len(kinds) >= 2
    assert kinds == ["first", "second"] * (len(kinds) // 2)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert done.size == path.stat().st_size
    assert await count(database, "audit") == 402


async def test_what_was_there_before_is_kept_whole(copy: Path, file: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(file)) as writer:
        writer.execute("PRAGMA journal_mode=WAL")
        writer.execute("INSERT INTO meta VALUES ('late', 'still in the WAL')")
        writer.commit()
        shutil.copyfile(f"{file}-wal", tmp_path / "wal")
    shutil.move(tmp_path / "wal", f"{file}-wal")

    done, restored = put(copy, file)

    assert done.aside is not None
    assert (fact(done.aside, "late"), fact(file, "late")) == ("still in the WAL", None)
    assert (fact(file, meta.EPOCH), fact(file, meta.BACKED_UP_AT)) == ("2", None)
    assert restored.taken_at == "2026-01-15T12:00:00.000000Z"
    assert not Path(f"{file}-wal").exists()


async def test_a_file_too_damaged_to_open_is_replaced_and_kept(copy: Path, file: Path) -> None:
    file.write_bytes(b"\xff" * 8192)

    done, _restored = put(copy, file)

    assert done.aside is not None
    assert done.aside.read_bytes() == b"\xff" * 8192
    assert fact(file, meta.EPOCH) == "2"


async def test_each_restore_begins_an_epoch_that_was_never_there(copy: Path, file: Path) -> None:
    epochs = [put(copy, file)[1].epoch for _time in range(3)]

    assert epochs == [2, 3, 4]


async def test_a_backup_may_be_put_where_nothing_is(copy: Path, tmp_path: Path) -> None:
    done, restored = put(copy, tmp_path / "elsewhere.db")

    assert (done.aside, restored.epoch, restored.held) == (None, 2, 0)
