"""Which SQLite this Python is linked to, and what is known of it."""

import sqlite3
from typing import Final

OLDEST: Final = (3, 35, 0)  # the first with RETURNING
RESET_MENDED: Final = (3, 51, 3)


def sqlite_version() -> tuple[int, ...]:
    """The version of the linked library, which is not the version of Python's module."""
    return tuple(sqlite3.sqlite_version_info)


def is_new_enough() -> bool:
    """Whether every statement of ours is understood."""
    return sqlite_version() >= OLDEST


def has_reset_defect() -> bool:
    """Whether two connections that checkpoint at once can corrupt a file (sqlite.org/wal.html)."""
    return sqlite_version() < RESET_MENDED
