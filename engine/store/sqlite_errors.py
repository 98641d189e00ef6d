"""What went wrong on SQLite: no room, no leave, a bad disk, somebody else's lock, or a plain refusal."""

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from sqlalchemy.exc import DBAPIError

from engine.errors import EngineError, NotRecorded, Unavailable
from engine.store.causes import UNKNOWN, Cause, one_line

_IO_ERROR: Final = 10
_PRIMARY: Final = 0xFF  # the other bits of a code are its finer shade

_DAMAGED: Final = Cause(
    code="store_damaged",
    what="The file is damaged, or no database",
    mend="restore a backup, or name another file; this one was left as it is",
)
_BUSY: Final = Cause(
    code="store_busy",
    what="Another program holds the database locked",
    mend="close that program (`fuser` names it) and try again; for a look inside, use a backup",
)
CAUSES: Final[Mapping[int, Cause]] = {
    5: _BUSY,
    6: _BUSY,
    8: Cause(
        code="store_read_only",
        what="The database is read-only",
        mend="make the file, its folder and the files beside it writable for this user",
    ),
    _IO_ERROR: Cause(
        code="store_broken",
        what="The disk reports an error",
        mend="look at the disk and at its free space before anything else, then try again",
    ),
    11: _DAMAGED,
    13: Cause(
        code="store_full",
        what="The disk of the database is full",
        mend="make room",
        then="all goes on by itself then",
    ),
    14: Cause(
        code="no_database",
        what="The database file cannot be opened",
        mend="look at its folder, whose it is, and the limit of open files (`ulimit -n`)",
    ),
    26: _DAMAGED,
}
CLOSED: Final = "The store is closed, and nothing was kept. Start Signoff again."
UNSURE: Final = (
    "Not confirmed: the disk failed at that moment, and this may be recorded or not. "
    "A vote may be cast again and counts once; look before you repeat anything else."
)


def refusal(error: BaseException) -> EngineError:
    """What the caller is told when nothing of the deed was kept; a sentence of ours stays as it is."""
    if isinstance(error, EngineError):
        return Unavailable(str(error), code=error.code)
    return _cause(error).refusal(_reason(error))


def unopened(error: BaseException, path: Path) -> EngineError:
    """What whoever starts is told when `path` cannot be opened or migrated."""
    return _cause(error).unopened(str(path), _reason(error))


def is_io_error(error: BaseException) -> bool:
    """Whether the disk itself failed, so that nobody knows what of a commit will be there tomorrow."""
    return _code(error) == _IO_ERROR


def broken() -> sqlite3.Error:
    """What the driver raises when the disk fails in the middle of a commit."""
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = _IO_ERROR
    return error


def unsure() -> NotRecorded:
    """What the caller is told when the disk failed in the middle of the commit."""
    return NotRecorded(UNSURE)


def _cause(error: BaseException) -> Cause:
    return CAUSES.get(_code(error), UNKNOWN)


def _reason(error: BaseException) -> str:
    return one_line(error.orig or error) if isinstance(error, DBAPIError) else one_line(error)


def _code(error: BaseException) -> int:
    cause = error.orig if isinstance(error, DBAPIError) else error
    code = getattr(cause, "sqlite_errorcode", None)
    return code & _PRIMARY if isinstance(code, int) else 0
