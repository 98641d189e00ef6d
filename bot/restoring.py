"""Puts a backup in place, or says that a database came from one, as the command line asks for it."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bot.databases import name_of
from bot.erasures import ErasureFile, erasures_path
from bot.secret_key import secret_path
from bot.settings import Settings
from engine.clock import SystemClock
from engine.errors import Invalid, Refused
from engine.services import restoring
from engine.services.approvals import ASK
from engine.services.erasing import Erased
from engine.services.restoring import Restored
from engine.store import backups, meta, putting
from engine.store.database import Transaction

# What was asked without a workflow does nothing itself: whoever asked reads the decision.
FREE = frozenset({ASK})


@dataclass(frozen=True, slots=True, kw_only=True)
class Back:
    """Which database is back, what waits for an operator, and where the file is that was there before."""

    database: str
    restored: Restored
    aside: Path | None = None
    lacks_secret: bool = False


async def restore(settings: Settings, source: Path | None) -> Back:
    """Put the backup `source` in place of the settings' file; without one, begin anew on what is in place.

    Raises:
        Refused: `not_a_file`, if PostgreSQL is to be restored from a file. Invalid: `no_backup`, if
            a file that is no backup was named by nobody; `bad_erasures`, if it cannot be read who was
            erased; and as `putting` and `backups` do.
    """
    anew = partial(_anew, gone=_gone(settings))
    if settings.shared_url is not None:
        if source is not None:
            raise Refused(
                "A PostgreSQL is restored by its own means, such as pg_restore. Do that first, then "
                "`signoff restore` without a file.",
                code="not_a_file",
            )
        done = await putting.in_postgres(settings.shared_url, anew)
        return Back(database=name_of(settings), restored=done)
    path = settings.database_path
    lacks_secret = settings.secret_key is None and not secret_path(settings).exists()
    if source is None:
        done = putting.in_file(path, partial(_of_a_backup, anew=anew))
        return Back(database=str(path), restored=done, lacks_secret=lacks_secret)
    at = SystemClock().now()
    put, done = backups.put_in_place(source, path, anew, at=at)
    return Back(database=str(path), restored=done, aside=put.aside, lacks_secret=lacks_secret)


def undo_move(settings: Settings) -> Back:
    """Let servers start again on a file that was moved. It is as old as that move, so it begins anew.

    Raises:
        Refused: `not_moved`, if it was not moved; `not_a_file`, if the settings name the PostgreSQL
            to which it was; and as `putting.in_file` does.
    """
    if settings.shared_url is not None:
        raise Refused("Set SIGNOFF_DATABASE_URL back to the file first.", code="not_a_file")
    path = settings.database_path
    return Back(database=str(path), restored=putting.in_file(path, _of_the_moved))


def _gone(settings: Settings) -> list[Erased]:
    path = erasures_path(settings)
    return [] if path is None else ErasureFile(path).read()


def _anew(tx: Transaction, since: int = 0, *, gone: Collection[Erased] = ()) -> Restored:
    return restoring.begin_anew(tx, free=FREE, since=since, gone=gone)


def _of_a_backup(tx: Transaction, *, anew: Callable[[Transaction], Restored]) -> Restored:
    if meta.get(tx.connection, meta.BACKED_UP_AT) is None:
        raise Invalid("Which backup? signoff restore FILE", code="no_backup")
    return anew(tx)


def _of_the_moved(tx: Transaction) -> Restored:
    if meta.get(tx.connection, meta.MOVED_TO) is None:
        raise Refused("This file was not moved; there is nothing to undo.", code="not_moved")
    return _anew(tx)
