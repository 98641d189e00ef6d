"""The files of an open SQLite database: whether they are still the ones in their place, and not too long."""

import sqlite3
from pathlib import Path
from typing import Final, TypeAlias

from engine.errors import Unavailable

LOG_BYTES_MAX: Final = 32 * 1024 * 1024
TRIED_AGAIN_AFTER: Final = 8 * 1024 * 1024  # bytes more, when a reader kept it from being emptied
WAIT_BRIEFLY: Final = "PRAGMA busy_timeout=100"  # in milliseconds; everybody waits meanwhile

_Identity: TypeAlias = tuple[int, int]


class Files:
    """A file that is removed stays open, and takes what would be gone with the process: so it is looked at."""

    def __init__(self, path: Path) -> None:
        self._path, self._log = path, path.with_name(path.name + "-wal")
        self._main = _identity(self._path)
        self._known_log: _Identity | None = None
        self._long = LOG_BYTES_MAX

    def check(self) -> None:
        """Return if the files are those that were opened.

        Raises:
            Unavailable: `store_moved`, otherwise.
        """
        is_same = _identity(self._path) == self._main
        if self._known_log is not None:
            is_same = is_same and _identity(self._log) == self._known_log
        if not is_same:
            raise Unavailable(
                f"{self._path} was removed or replaced while Signoff had it open. Nothing of it was "
                "kept: put back what was there, or restart Signoff to go on with what is there now.",
                code="store_moved",
            )

    def meet(self) -> None:
        """Remember the log, which the first transaction has made."""
        if self._known_log is None:
            self._known_log = _identity(self._log)

    def shorten(self, driver: sqlite3.Connection, *, patience: str) -> None:
        """Empty the log if it has grown long: readers that overlap keep it from that by itself.

        One that reads for long keeps it long; nothing fails, and it is tried again.
        """
        size = _size(self._log)
        if size < self._long:
            return
        driver.execute(WAIT_BRIEFLY)
        try:
            is_kept = bool(driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0])
        except sqlite3.Error:  # whoever writes next is told of it
            is_kept = True
        self._long = size + TRIED_AGAIN_AFTER if is_kept else LOG_BYTES_MAX
        driver.execute(f"PRAGMA {patience}")


def _identity(path: Path) -> _Identity | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
