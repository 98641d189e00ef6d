"""Statements compiled once: where the driver is at hand they are run by it, without building anything anew."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import Delete, Dialect, Insert, Select, Update
from sqlalchemy.engine.result import result_tuple
from sqlalchemy.types import TypeEngine

from engine.clock import micros
from engine.store.columns import Moment
from engine.store.database import Driver, Transaction

Statement: TypeAlias = Select[*tuple[Any, ...]] | Insert | Update | Delete
_Process: TypeAlias = Callable[[Any], Any]


class Prepared:
    """One statement, whose values come by name each time it is run.

    Building and compiling a statement, and wrapping what it gives, cost several times what the database
    itself does. Where a deed has the driver at hand, the text goes straight to it; everywhere else
    SQLAlchemy runs the same statement. Rows and failures are SQLAlchemy's own either way.
    """

    __slots__ = ("_columns", "_statement", "_straight")

    def __init__(self, statement: Statement, *, columns: Iterable[str] = ()) -> None:
        self._statement, self._columns = statement, tuple(columns)
        self._straight: dict[str, _Straight] = {}

    def rows(self, tx: Transaction, given: Mapping[str, object]) -> Sequence[Any]:
        """What the statement gives for these values."""
        if tx.driver is None:
            return tx.connection.execute(self._statement, dict(given)).all()
        return self._for(tx.driver).rows(tx.driver, given)

    def plain(self, tx: Transaction, given: Mapping[str, object]) -> Sequence[Sequence[Any]]:
        """The same rows as the driver has them, for whoever reads very many.

        Their values may be in the form in which the database keeps them: moments and flags as numbers.
        """
        if tx.driver is None:
            return self.rows(tx, given)
        straight = self._for(tx.driver)
        return tx.driver.rows(straight.text, straight.values(given))

    def run(self, tx: Transaction, given: Mapping[str, object]) -> int:
        """Run it and say how many rows it touched."""
        tx.may_have_written = True
        if tx.driver is None:
            return tx.connection.execute(self._statement, dict(given)).rowcount
        straight = self._for(tx.driver)
        return tx.driver.run(straight.text, straight.values(given))

    def bound(self, driver: Driver, given: Mapping[str, object]) -> "Bound":
        """The statement with these values, to be run by `driver`, or another of its kind, time and again."""
        straight = self._for(driver)
        return Bound(straight.text, straight.values(given))

    def run_soon(
        self, tx: Transaction, given: Mapping[str, object], *, table: str, is_new: bool = False
    ) -> None:
        """Run it before anything else is asked; it writes to `table` alone, new rows if `is_new`."""
        if tx.driver is None:
            self.run(tx, given)
            return
        tx.may_have_written = True
        straight = self._for(tx.driver)
        tx.driver.run_soon(straight.text, straight.values(given), table=table, is_new=is_new)

    def run_all(self, tx: Transaction, given: Sequence[Mapping[str, object]]) -> None:
        """Run it once for each of `given`."""
        tx.may_have_written = True
        if tx.driver is None:
            tx.connection.execute(self._statement, [dict(each) for each in given])
        else:
            straight = self._for(tx.driver)
            tx.driver.run_all(straight.text, [straight.values(each) for each in given])

    def _for(self, driver: Driver) -> "_Straight":
        dialect = driver.dialect
        straight = self._straight.get(dialect.name)
        if straight is None:
            straight = _Straight(self._statement, self._columns, dialect)
            self._straight[dialect.name] = straight
        return straight


class Bound(NamedTuple):
    """A statement's text with its values, as a driver takes them."""

    text: str
    values: Sequence[Any]


class _Straight:
    """The text that a driver is given, and what becomes of values on their way in and out."""

    def __init__(self, statement: Statement, columns: tuple[str, ...], dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect, column_keys=columns or None)
        self.text = str(compiled)
        self._names = tuple(compiled.positiontup or ())
        self._pick = itemgetter(*self._names) if len(self._names) > 1 else None
        self._fixed = {name: value for name, value in compiled.params.items() if value is not None}
        self._inward = _numbered(
            _inward(compiled.binds[name].type, dialect) for name in self._names
        )
        found = tuple(statement.exported_columns)
        self._row = result_tuple([column.key or column.name for column in found])
        self._outward = _numbered(_outward(column.type, dialect) for column in found)

    def rows(self, driver: Driver, given: Mapping[str, object]) -> Sequence[Any]:
        found = driver.rows(self.text, self.values(given))
        row, outward = self._row, self._outward
        if not outward:
            return [row(values) for values in found]
        return [row(tuple(_processed(list(values), outward))) for values in found]

    def values(self, given: Mapping[str, object]) -> list[Any]:
        if self._fixed:
            given = {**self._fixed, **given}
        picked = (given[name] for name in self._names) if self._pick is None else self._pick(given)
        return _processed(list(picked), self._inward)


def _processed(values: list[Any], processes: Sequence[tuple[int, _Process]]) -> list[Any]:
    for index, process in processes:
        if values[index] is not None:
            values[index] = process(values[index])
    return values


def _numbered(processes: Iterable[_Process | None]) -> tuple[tuple[int, _Process], ...]:
    found = enumerate(processes)
    return tuple((index, process) for index, process in found if process is not None)


def _inward(kind: TypeEngine[Any], dialect: Dialect) -> _Process | None:
    if isinstance(kind, Moment) and dialect.name == "sqlite":
        return micros  # what the type itself comes to, by a shorter way
    return kind.dialect_impl(dialect).bind_processor(dialect)


def _outward(kind: TypeEngine[Any], dialect: Dialect) -> _Process | None:
    return kind.dialect_impl(dialect).result_processor(dialect, None)
