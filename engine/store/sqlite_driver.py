"""SQLite's own connection, given finished text."""

import sqlite3
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, Dialect
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError
from typing_extensions import override

from engine.errors import Unavailable
from engine.store.database import Driver
from engine.store.sqlite_errors import CLOSED

PATIENCE: Final = "busy_timeout=5000"  # in milliseconds

_DIALECT: Final = sqlite.dialect()


class SqliteDriver(Driver):
    """Runs statements in whatever transaction `connection` is in."""

    __slots__ = ("connection",)

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    @property
    @override
    def dialect(self) -> Dialect:
        return _DIALECT

    @override
    def rows(self, text: str, values: Sequence[Any]) -> Sequence[Sequence[Any]]:
        try:
            return self.connection.execute(text, values).fetchall()
        except sqlite3.Error as error:
            raise _wrapped(text, values, error) from error

    @override
    def run(self, text: str, values: Sequence[Any]) -> int:
        try:
            return self.connection.execute(text, values).rowcount
        except sqlite3.Error as error:
            raise _wrapped(text, values, error) from error

    @override
    def run_all(self, text: str, values: Sequence[Sequence[Any]]) -> None:
        try:
            self.connection.executemany(text, values)
        except sqlite3.Error as error:
            raise _wrapped(text, values, error) from error

    @override
    def run_soon(self, text: str, values: Sequence[Any], *, table: str, is_new: bool) -> None:
        self.run(text, values)  # the file is near: nothing is gained by waiting

    @override
    def settle(self) -> None:
        return

    @override
    def forget(self) -> None:
        return


def driver_of(connection: Connection) -> sqlite3.Connection:
    """What SQLAlchemy's connection stands on."""
    driver = connection.connection.driver_connection
    if not isinstance(driver, sqlite3.Connection):
        raise Unavailable(CLOSED)
    return driver


def prepare(connection: DBAPIConnection, *pragmas: str) -> None:
    """Set what holds for as long as the connection is open."""
    cursor = connection.cursor()
    for pragma in pragmas:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _wrapped(text: str, values: object, error: sqlite3.Error) -> BaseException:
    return DBAPIError.instance(text, [values], error, sqlite3.Error)
