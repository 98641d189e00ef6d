"""Statements compiled once: where the driver is at hand they are run by it, without building anything anew."""

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from sqlalchemy import Delete, Dialect, Insert, Select, Update
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine.result import result_tuple
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import TypeEngine

from engine.store.database import Transaction

Statement: TypeAlias = Select[*tuple[Any, ...]] | Insert | Update | Delete
_Process: TypeAlias = Callable[[Any], Any]

_DIALECT = sqlite.dialect()


class Prepared:
    """One statement, whose values come by name each time it is run.

    Building and compiling a statement, and wrapping what it gives, cost several times what the file
    itself does. SQLite's writer therefore hands the text straight to its driver; everywhere else
    SQLAlchemy runs the same statement. Rows and failures are SQLAlchemy's own either way.
    """

    __slots__ = ("_columns", "_statement", "_straight")

    def __init__(self, statement: Statement, *, columns: Iterable[str] = ()) -> None:
        self._statement, self._columns = statement, tuple(columns)
        self._straight: _Straight | None = None

    def rows(self, tx: Transaction, given: Mapping[str, object]) -> Sequence[Any]:
        """What the statement gives for these values."""
        if tx.driver is None:
            return tx.connection.execute(self._statement, dict(given)).all()
        return self._ready().rows(tx.driver, given)

    def run(self, tx: Transaction, given: Mapping[str, object]) -> int:
        """Run it and say how many rows it touched."""
        if tx.driver is None:
            return tx.connection.execute(self._statement, dict(given)).rowcount
        return self._ready().run(tx.driver, given)

    def run_all(self, tx: Transaction, given: Sequence[Mapping[str, object]]) -> None:
        """Run it once for each of `given`."""
        if tx.driver is None:
            tx.connection.execute(self._statement, [dict(each) for each in given])
        else:
            self._ready().run_all(tx.driver, given)

    def _ready(self) -> "_Straight":
        if self._straight is None:
            self._straight = _Straight(self._statement, self._columns)
        return self._straight


class _Straight:
    """The text that SQLite is given, and what becomes of values on their way in and out."""

    def __init__(self, statement: Statement, columns: tuple[str, ...]) -> None:
        compiled = statement.compile(dialect=_DIALECT, column_keys=columns or None)
        self._text = str(compiled)
        self._names = tuple(compiled.positiontup or ())
        self._fixed = {name: value for name, value in compiled.params.items() if value is not None}
        self._inward = _numbered(
            _inward(compiled.binds[name].type, _DIALECT) for name in self._names
        )
        found = tuple(statement.exported_columns)
        self._row = result_tuple([column.key or column.name for column in found])
        self._outward = _numbered(_outward(column.type, _DIALECT) for column in found)

    def rows(self, driver: sqlite3.Connection, given: Mapping[str, object]) -> Sequence[Any]:
        try:
            found = driver.execute(self._text, self._values(given)).fetchall()
        except sqlite3.Error as error:
            raise self._wrapped(error, given) from error
        row, outward = self._row, self._outward
        if not outward:
            return [row(values) for values in found]
        return [row(tuple(_processed(list(values), outward))) for values in found]

    def run(self, driver: sqlite3.Connection, given: Mapping[str, object]) -> int:
        try:
            return driver.execute(self._text, self._values(given)).rowcount
        except sqlite3.Error as error:
            raise self._wrapped(error, given) from error

    def run_all(self, driver: sqlite3.Connection, given: Sequence[Mapping[str, object]]) -> None:
        try:
            driver.executemany(self._text, [self._values(each) for each in given])
        except sqlite3.Error as error:
            raise self._wrapped(error, given) from error

    def _values(self, given: Mapping[str, object]) -> list[Any]:
        if self._fixed:
            given = {**self._fixed, **given}
        return _processed([given[name] for name in self._names], self._inward)

    def _wrapped(self, error: sqlite3.Error, given: object) -> BaseException:
        return DBAPIError.instance(self._text, [given], error, sqlite3.Error)


def _processed(values: list[Any], processes: Sequence[tuple[int, _Process]]) -> list[Any]:
    for index, process in processes:
        if values[index] is not None:
            values[index] = process(values[index])
    return values


def _numbered(processes: Iterable[_Process | None]) -> tuple[tuple[int, _Process], ...]:
    found = enumerate(processes)
    return tuple((index, process) for index, process in found if process is not None)


def _inward(kind: TypeEngine[Any], dialect: Dialect) -> _Process | None:
    return kind.dialect_impl(dialect).bind_processor(dialect)


def _outward(kind: TypeEngine[Any], dialect: Dialect) -> _Process | None:
    return kind.dialect_impl(dialect).result_processor(dialect, None)
