"""Copies of a SQLite file: taken while a server writes, checked, and put in place of another one."""

import os
import sqlite3
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import mkstemp
from typing import Final, TypeVar

from engine.clock import iso
from engine.errors import Fault, Invalid, Refused, Unavailable
from engine.store import meta
from engine.store.alone import connected, stopped
from engine.store.database import Transaction
from engine.store.migrations import HEAD, migrate, revision
from engine.store.putting import transaction_on

T = TypeVar("T")

BESIDE: Final = ("-wal", "-shm")  # what SQLite keeps beside a file that is open


@dataclass(frozen=True, slots=True, kw_only=True)
class BackedUp:
    """A copy that was checked: where it is, how large, and which moment it holds at the latest."""

    path: Path
    size: int
    taken_at: datetime


@dataclass(frozen=True, slots=True)
class Put:
    """A file that was put in place. What was there before is kept at `aside`."""

    aside: Path | None


def back_up(path: Path, to: Path, *, at: datetime) -> BackedUp:
    """Copy the database `path` to the new file `to`, whoever writes to it meanwhile; readable by this user alone.

    The copy is one moment, and waits for nobody; writers do not wait for it. It appears under its name
    when it is whole and was checked. It says of itself that it is a backup, so that no server starts
    on it by mistake.

    Raises:
        Refused: `file_exists`, if there is something at `to` already.
        Invalid: `cannot_write`, if nothing can be written there. Fault: `damaged`.
        Unavailable: if it could not be read or written to its end; nothing is left at `to`.
    """
    if os.path.lexists(to):
        raise _taken(to)
    with _staged(to) as staged:
        _copy(path, staged, check="quick_check")
        with connected(staged) as connection:
            meta.put(connection, meta.BACKED_UP_AT, iso(at))
            connection.commit()
        size = staged.stat().st_size
        try:
            os.link(staged, to)  # refuses what is there, even if it appeared just now
        except FileExistsError:
            raise _taken(to) from None
        _sync(to.parent)
    return BackedUp(path=to, size=size, taken_at=at)


def put_in_place(
    source: Path, path: Path, deed: Callable[[Transaction, int], T], *, at: datetime
) -> tuple[Put, T]:
    """Make `path` what the backup `source` holds, changed by `deed`; what was there is kept beside it.

    `deed` is given the epoch of what was there, 0 where there was none. It all happens to a copy first:
    when anything fails, or the process dies, `path` is as it was.

    Raises:
        FileOwned: while a server runs on `path`. Fault: `damaged`, if `source` is.
        Invalid: `no_database`, if `source` is no database of ours. Unavailable: `schema_too_new`.
    """
    _demand_source(source, path)
    with stopped(path), _staged(path) as staged:
        _copy(source, staged, check="integrity_check")
        _demand_ours(staged, source)
        migrate(f"sqlite:///{staged}")
        with connected(staged) as connection:
            answer = deed(transaction_on(connection), _epoch_of(path))
            connection.commit()
        with closing(sqlite3.connect(staged)) as written:
            written.execute("VACUUM")  # whoever was erased after the backup is nowhere in it
        aside = _put_aside(path, at)
        staged.replace(path)
        _sync(path.parent)
    return Put(aside), answer


@contextmanager
def _staged(near: Path) -> Generator[Path]:
    """An empty file beside `near` that only this user can read, gone after the block."""
    try:
        descriptor, name = mkstemp(dir=near.absolute().parent, prefix=f".{near.name}.")
    except OSError as error:
        raise Invalid(f"{near} cannot be written: {error.strerror}.", code="cannot_write") from None
    os.close(descriptor)
    staged = Path(name)
    try:
        yield staged
    finally:
        for ending in ("", *BESIDE, "-journal"):
            staged.with_name(staged.name + ending).unlink(missing_ok=True)


def _copy(source: Path, to: Path, *, check: str) -> None:
    try:
        with closing(_read_only(source)) as read, closing(sqlite3.connect(to)) as written:
            read.backup(written)  # in one go: a copy in parts begins anew with each write
            written.execute("PRAGMA journal_mode=DELETE")
            found = [str(row[0]) for row in written.execute(f"PRAGMA {check}(1)")]
    except sqlite3.DatabaseError as error:
        if "not a database" in str(error):
            raise Invalid(f"{source} is no SQLite database.", code="no_database") from None
        if "malformed" in str(error):
            raise _damaged(source, str(error)) from None
        raise Unavailable(f"{source} could not be copied: {error}.") from None
    if found != ["ok"]:
        raise _damaged(source, found[0])


def _read_only(path: Path) -> sqlite3.Connection:
    # It cannot checkpoint either, which only the writer may.
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)


def _demand_source(source: Path, path: Path) -> None:
    if not source.is_file():
        raise Invalid(f"There is no backup {source}.", code="no_database")
    if path.exists() and source.samefile(path):
        raise Refused(
            f"{source} is in its place already: `signoff restore` without a file.",
            code="same_database",
        )


def _demand_ours(staged: Path, source: Path) -> None:
    with connected(staged) as connection:
        found = revision(connection)
    if found is None:
        raise Invalid(f"{source} is no database of Signoff.", code="no_database")
    if found > HEAD:
        raise Unavailable(
            f"{source} has schema {found}; this Signoff knows {HEAD}. Install the newer version.",
            code="schema_too_new",
        )


def _epoch_of(path: Path) -> int:
    # What is replaced may be damaged, which may be why.
    if not path.is_file():
        return 0
    with suppress(Exception), connected(path) as connection:  # border: any damage reads as none
        return meta.epoch(connection)
    return 0


def _put_aside(path: Path, at: datetime) -> Path | None:
    if not path.exists():
        return None
    with suppress(sqlite3.Error), closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")  # all of it is in one file then
    aside = path.with_name(f"{path.name}.before-{at:%Y%m%dT%H%M%S%fZ}")
    os.link(path, aside)
    for ending in BESIDE:  # of a file too damaged for that
        with suppress(FileNotFoundError):
            path.with_name(path.name + ending).rename(aside.with_name(aside.name + ending))
    return aside


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _taken(to: Path) -> Refused:
    return Refused(f"{to} is there already, and nothing is overwritten.", code="file_exists")


def _damaged(path: Path, how: str) -> Fault:
    return Fault(f"{path} is damaged: {how}. Use an older backup.", code="damaged")
