"""Statements built once: the hot ones differ only in their values, and building one costs more than running it."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Insert, Row, Select, Table, Update, and_, bindparam, insert, select, update

from engine.store.database import Transaction


def add(tx: Transaction, table: Table, rows: Sequence[Mapping[str, object]]) -> None:
    """Insert `rows`, which all name the same columns."""
    tx.connection.execute(_insert(table), [dict(row) for row in rows])


def change(
    tx: Transaction, table: Table, where: Mapping[str, object], values: Mapping[str, object]
) -> int:
    """Set `values` in the rows that equal `where`; None in `where` matches NULL. Says how many."""
    statement = _update(table, _shape(where), tuple(values))
    parameters = {**_given(where), **{f"set_{name}": value for name, value in values.items()}}
    return tx.connection.execute(statement, parameters).rowcount


def find(
    tx: Transaction, table: Table, where: Mapping[str, object], *, order_by: Sequence[str] = ()
) -> Sequence[Row[Any]]:
    """The rows that equal `where`, in ascending order of `order_by`."""
    statement = _select(table, _shape(where), tuple(order_by))
    return tx.connection.execute(statement, _given(where)).all()


def find_one(tx: Transaction, table: Table, where: Mapping[str, object]) -> Row[Any] | None:
    """The one row that equals `where`, which must be enough to tell it from all others."""
    found = find(tx, table, where)
    return found[0] if found else None


_Shape = tuple[tuple[str, bool], ...]


def _shape(where: Mapping[str, object]) -> _Shape:
    return tuple((name, value is None) for name, value in where.items())


def _given(where: Mapping[str, object]) -> dict[str, object]:
    return {f"is_{name}": value for name, value in where.items() if value is not None}


@lru_cache(maxsize=512)
def _insert(table: Table) -> Insert:
    return insert(table)


@lru_cache(maxsize=512)
def _update(table: Table, where: _Shape, columns: tuple[str, ...]) -> Update:
    values: dict[str, Any] = {name: bindparam(f"set_{name}") for name in columns}
    return update(table).where(_equal(table, where)).values(values)


@lru_cache(maxsize=512)
def _select(table: Table, where: _Shape, order_by: tuple[str, ...]) -> Select[Any]:
    ordered = (table.c[name] for name in order_by)
    return select(table).where(_equal(table, where)).order_by(*ordered)


def _equal(table: Table, where: _Shape) -> Any:
    return and_(
        *(
            table.c[name].is_(None) if is_null else table.c[name] == bindparam(f"is_{name}")
            for name, is_null in where
        )
    )
