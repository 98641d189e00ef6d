"""Statements built once: the hot ones differ only in their values, and building one costs more than running it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Select,
    Table,
    and_,
    bindparam,
    case,
    insert,
    select,
    true,
    update,
)
from sqlalchemy.dialects import sqlite

from engine.store.columns import and_the_moment
from engine.store.database import Transaction
from engine.store.prepared import Prepared

SOON_MAX: Final = 4  # rows of one table that are written with what follows
EVENED_MAX: Final = 1_024  # values for which a statement is built that takes some more


def add(tx: Transaction, table: Table, rows: Sequence[Mapping[str, object]]) -> None:
    """Insert `rows`, which all name the same columns; a few are sent with the next question.

    To a file that is near, several go at once and none waits.
    """
    prepared = _insert(table, tuple(rows[0]))
    is_near = tx.driver is not None and tx.driver.dialect.name == "sqlite"
    if len(rows) > (1 if is_near else SOON_MAX):
        prepared.run_all(tx, rows)
        return
    for row in rows:
        prepared.run_soon(tx, row, table=table.name, is_new=True)


def change(
    tx: Transaction, table: Table, where: Mapping[str, object], values: Mapping[str, object]
) -> int:
    """Set `values` in the rows that equal `where`; None in `where` matches NULL. Says how many."""
    parameters = _setting(where, values)
    return _update(table, _shape(where), tuple(values)).run(tx, parameters)


def put(
    tx: Transaction, table: Table, where: Mapping[str, object], values: Mapping[str, object]
) -> None:
    """As `change`, for whoever does not ask how many rows it were: sent with the next question."""
    parameters = _setting(where, values)
    _update(table, _shape(where), tuple(values)).run_soon(tx, parameters, table=table.name)


def put_each(
    tx: Transaction,
    table: Table,
    changes: Iterable[tuple[Mapping[str, object], Mapping[str, object]]],
) -> None:
    """As `put` for each of these pairs of `where` and `values`, whose rows are different ones."""
    alike: dict[tuple[_Shape, tuple[str, ...]], list[Mapping[str, object]]] = {}
    for where, values in changes:
        parameters = _setting(where, values)
        alike.setdefault((_shape(where), tuple(values)), []).append(parameters)
    for (shape, columns), given in alike.items():
        prepared = _update(table, shape, columns)
        if len(given) > SOON_MAX:
            prepared.run_all(tx, given)
            continue
        for each in given:
            prepared.run_soon(tx, each, table=table.name)


def put_among(
    tx: Transaction,
    table: Table,
    where: Mapping[str, object],
    values: Mapping[str, object],
    *,
    among: Mapping[str, Collection[object]],
) -> None:
    """As `put`, in the rows whose one column in `among` is one of its values, too."""
    ((column, asked),) = among.items()
    if not asked:
        return
    wanted = _evened(asked)
    parameters = _setting(where, values) | dict(zip(_among(len(wanted)), wanted, strict=True))
    made = _update_among(table, _shape(where), column, len(wanted), tuple(values))
    made.run_soon(tx, parameters, table=table.name)


def find(
    tx: Transaction,
    table: Table,
    where: Mapping[str, object],
    *,
    order_by: Sequence[str] = (),
    lock: bool = False,
) -> Sequence[Any]:
    """The rows that equal `where`, in ascending order of `order_by`.

    With `lock` nobody else changes them before this deed has ended, and they are read as others left
    them. What is locked in which order stands in `engine.store.postgres`.
    """
    return _select(table, _shape(where), tuple(order_by), lock=lock).rows(tx, _given(where))


def find_among(
    tx: Transaction,
    table: Table,
    where: Mapping[str, object],
    *,
    among: Mapping[str, Collection[object]],
    order_by: Sequence[str] = (),
    lock: bool = False,
) -> Sequence[Any]:
    """The rows that equal `where` and whose one column in `among` is one of its values; `lock` as `find`."""
    ((column, asked),) = among.items()
    if not asked:
        return []
    values = _evened(asked)
    given = _given(where) | dict(zip(_among(len(values)), values, strict=True))
    shape, ordered = _shape(where), tuple(order_by)
    return _select_among(table, shape, column, len(values), ordered, lock=lock).rows(tx, given)


class Among:
    """A query for the rows whose `column` is one of some values: built once for about as many of them."""

    __slots__ = ("_column", "_prepared", "_query")

    def __init__(self, query: Select[*tuple[Any, ...]], column: ColumnElement[Any]) -> None:
        self._query, self._column = query, column
        self._prepared: dict[int, Prepared] = {}

    def rows(
        self,
        tx: Transaction,
        values: Collection[object],
        given: Mapping[str, object] | None = None,
    ) -> Sequence[Any]:
        """The rows for `values`, none for none; `given` is what else the query asks for."""
        if not values:
            return []
        prepared, named = self._asked(values)
        return prepared.rows(tx, {**(given or {}), **named})

    def plain(
        self,
        tx: Transaction,
        values: Collection[object],
        given: Mapping[str, object] | None = None,
    ) -> Sequence[Sequence[Any]]:
        """The same as the driver has them."""
        if not values:
            return []
        prepared, named = self._asked(values)
        return prepared.plain(tx, {**(given or {}), **named})

    def _asked(self, asked: Collection[object]) -> tuple[Prepared, Mapping[str, object]]:
        values = _evened(asked)
        count = len(values)
        if count not in self._prepared:
            wanted: list[Any] = [bindparam(name) for name in _among(count)]
            self._prepared[count] = Prepared(self._query.where(self._column.in_(wanted)))
        return self._prepared[count], dict(zip(_among(count), values, strict=True))


@lru_cache(maxsize=64)
def _among(count: int) -> tuple[str, ...]:
    return tuple(f"among_{index}" for index in range(count))


def find_one(
    tx: Transaction, table: Table, where: Mapping[str, object], *, lock: bool = False
) -> Any:
    """The one row that equals `where`, which must be enough to tell it from all others; or None."""
    found = find(tx, table, where, lock=lock)
    return found[0] if found else None


def hold_one(tx: Transaction, table: Table, where: Mapping[str, object]) -> Any:
    """As `find_one` with `lock`; where the database tells the moment, it comes along in the same answer."""
    if not tx.wants_the_moment:
        return find_one(tx, table, where, lock=True)
    found = _select_held(table, _shape(where)).rows(tx, _given(where))
    if not found:
        return None
    tx.be_told(found[0].moment)
    return found[0]


def add_new(tx: Transaction, table: Table, row: Mapping[str, object]) -> bool:
    """Insert `row` unless one with its key is there, put there by whomever; says whether it was new."""
    return _insert_new(table, tuple(row), tx.connection.dialect.name).run(tx, row) == 1


def whose(table: Table) -> ColumnElement[bool]:
    """That a row is the given `tenant`'s, for a query that finds its rows by something else.

    Said in a way for which no index over tenants is of use: SQLite, which counts nothing, would take
    one that gives every row of the tenant, and sort them, for each page anew.
    """
    return case((table.c.tenant == bindparam("tenant"), 1)) == 1


_Shape = tuple[tuple[str, bool], ...]


def _shape(where: Mapping[str, object]) -> _Shape:
    return tuple((name, value is None) for name, value in where.items())


def _setting(where: Mapping[str, object], values: Mapping[str, object]) -> dict[str, object]:
    parameters = _given(where)
    for name, value in values.items():
        parameters[f"set_{name}"] = value
    return parameters


def _given(where: Mapping[str, object]) -> dict[str, object]:
    return {f"is_{name}": value for name, value in where.items() if value is not None}


@lru_cache(maxsize=512)
def _insert(table: Table, columns: tuple[str, ...]) -> Prepared:
    return Prepared(insert(table), columns=columns)


@lru_cache(maxsize=64)
def _insert_new(table: Table, columns: tuple[str, ...], dialect: str) -> Prepared:
    if dialect == "postgresql":
        from sqlalchemy.dialects import postgresql

        return Prepared(postgresql.insert(table).on_conflict_do_nothing(), columns=columns)
    return Prepared(sqlite.insert(table).on_conflict_do_nothing(), columns=columns)


@lru_cache(maxsize=512)
def _update(table: Table, where: _Shape, columns: tuple[str, ...]) -> Prepared:
    values: dict[str, Any] = {name: bindparam(f"set_{name}") for name in columns}
    return Prepared(update(table).where(_equal(table, where)).values(values))


@lru_cache(maxsize=64)
def _update_among(
    table: Table, where: _Shape, column: str, count: int, columns: tuple[str, ...]
) -> Prepared:
    wanted: list[Any] = [bindparam(name) for name in _among(count)]
    values: dict[str, Any] = {name: bindparam(f"set_{name}") for name in columns}
    found = update(table).where(_equal(table, where), table.c[column].in_(wanted))
    return Prepared(found.values(values))


@lru_cache(maxsize=512)
def _select(table: Table, where: _Shape, order_by: tuple[str, ...], *, lock: bool) -> Prepared:
    ordered = (table.c[name] for name in order_by)
    found = select(table).where(_equal(table, where)).order_by(*ordered)
    # Rows that refer to a locked one may be written meanwhile; only its own columns are kept still.
    return Prepared(found.with_for_update(key_share=True) if lock else found)


@lru_cache(maxsize=64)
def _select_held(table: Table, where: _Shape) -> Prepared:
    found = select(table).where(_equal(table, where)).with_for_update(key_share=True)
    return Prepared(and_the_moment(found))


@lru_cache(maxsize=512)
def _select_among(
    table: Table, where: _Shape, column: str, count: int, order_by: tuple[str, ...], *, lock: bool
) -> Prepared:
    wanted: list[Any] = [bindparam(name) for name in _among(count)]
    found = select(table).where(_equal(table, where), table.c[column].in_(wanted))
    ordered = found.order_by(*(table.c[name] for name in order_by))
    return Prepared(ordered.with_for_update(key_share=True) if lock else ordered)


def _evened(values: Collection[object]) -> Sequence[object]:
    """`values`, the last of them repeated until there are 1, 2, 4, 8, …: so few lengths need few statements."""
    listed = list(values)
    if len(listed) > EVENED_MAX:
        return listed
    return listed + [listed[-1]] * ((1 << (len(listed) - 1).bit_length()) - len(listed))


def _equal(table: Table, where: _Shape) -> Any:
    return and_(
        true(),
        *(
            table.c[name].is_(None) if is_null else table.c[name] == bindparam(f"is_{name}")
            for name, is_null in where
        ),
    )
