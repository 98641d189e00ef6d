"""The bytes of a file: nothing of somebody who was erased is in them, nor comes back with a backup."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from engine.clock import SystemClock
from engine.ids import DEFAULT_TENANT, PersonId, SystemIds
from engine.services import erasing, restoring
from engine.services.erasing import Erased
from engine.services.restoring import Restored
from engine.store.backups import back_up, put_in_place
from engine.store.database import Transaction
from engine.store.sqlite import SqliteDatabase, opened
from engine.tokens import Tokens
from tests.clock import NOON, ManualClock
from tests.engine.stage import Stage
from tests.engine.test_erasing import CANARIES, DANA, given_told
from tests.fixtures import SECRET

pytestmark = pytest.mark.anyio


def erased(tx: Transaction) -> erasing.Erasure:
    return erasing.erase(tx, DEFAULT_TENANT, DANA, by="local", reason="They asked.")


async def told(path: Path, migrated_file: Path) -> None:
    """A file in which Dana has a name, and has said something."""
    shutil.copyfile(migrated_file, path)
    clock = ManualClock()
    async with opened(path, clock=clock, ids=SystemIds(), tokens=Tokens(SECRET)) as database:
        stage = Stage(database, clock)
        await stage.prepare()
        await given_told(stage)


def found_in(folder: Path) -> list[str]:
    """The canaries that are in the bytes of any file of `folder`."""
    files = [each.read_bytes().lower() for each in folder.iterdir() if each.is_file()]
    return [each for each in CANARIES if any(each.encode() in content for content in files)]


def wrapped_keys(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return [row[0] for row in connection.execute("SELECT wrapped FROM subject_keys")]


async def test_nothing_of_them_is_in_the_bytes_of_the_file(
    tmp_path: Path, migrated_file: Path
) -> None:
    path = tmp_path / "signoff.db"
    await told(path, migrated_file)
    before, (key,) = found_in(tmp_path), wrapped_keys(path)

    clock = ManualClock()
    async with opened(path, clock=clock, ids=SystemIds(), tokens=Tokens(SECRET)) as database:
        await database.write(erased)
        is_compact = await database.compact()
        while_open = found_in(tmp_path)

    assert (before, is_compact, while_open) == (["quirina", "vexley"], True, [])
    assert key.encode() not in path.read_bytes()


async def test_writers_and_compacting_take_turns(database: SqliteDatabase) -> None:
    first = database.submit(lambda tx: tx.now)
    done = await database.compact()
    after = await database.write(lambda tx: tx.now)

    assert done
    assert await first <= after


async def test_a_backup_brings_nobody_back(tmp_path: Path, migrated_file: Path) -> None:
    path, kept = tmp_path / "signoff.db", tmp_path / "kept"
    kept.mkdir()
    await told(path, migrated_file)
    backup = back_up(path, kept / "backup.db", at=NOON).path
    path.unlink()
    gone = [Erased(DEFAULT_TENANT, DANA), Erased(DEFAULT_TENANT, PersonId("never-here"))]

    def began(tx: Transaction, since: int) -> Restored:
        return restoring.begin_anew(tx, since=since, gone=gone)

    _put, restored = put_in_place(backup, path, began, at=SystemClock().now())

    assert found_in(kept) == ["quirina", "vexley"]
    assert found_in(tmp_path) == []
    assert restored.erased == 2
    assert wrapped_keys(path) == [None]
