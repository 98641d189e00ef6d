"""Statements built once: the hot ones differ only in their values, and building one costs more than running it."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Insert,
    Row,
    Select,
    Table,
    Update,
    and_,
    bindparam,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

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
    tx: Transaction,
    table: Table,
    where: Mapping[str, object],
    *,
    order_by: Sequence[str] = (),
    lock: bool = False,
) -> Sequence[Row[Any]]:
    """The rows that equal `where`, in ascending order of `order_by`.

    With `lock` nobody else changes them before this deed has ended, and they are read as others left
    them. What is locked in which order stands in `engine.store.postgres`.
    """
    statement = _select(table, _shape(where), tuple(order_by), lock=lock)
    return tx.connection.execute(statement, _given(where)).all()


def find_one(
    tx: Transaction, table: Table, where: Mapping[str, object], *, lock: bool = False
) -> Row[Any] | None:
    """The one row that equals `where`, which must be enough to tell it from all others."""
    found = find(tx, table, where, lock=lock)
    return found[0] if found else None


def add_new(tx: Transaction, table: Table, row: Mapping[str, object]) -> bool:
    """Insert `row` unless one with its key is there, put there by whomever; says whether it was new."""
    statement = _insert_new(table, tx.connection.dialect.name)
    return tx.connection.execute(statement, dict(row)).rowcount == 1


def holds(text: str, *columns: Column[str]) -> ColumnElement[bool]:
    """Whether one of `columns` holds `text`, in whatever case; every sign of it stands for itself."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return or_(*(column.ilike(f"%{escaped}%", escape="\\") for column in columns))


_Shape = tuple[tuple[str, bool], ...]


def _shape(where: Mapping[str, object]) -> _Shape:
    return tuple((name, value is None) for name, value in where.items())


def _given(where: Mapping[str, object]) -> dict[str, object]:
    return {f"is_{name}": value for name, value in where.items() if value is not None}


@lru_cache(maxsize=512)
def _insert(table: Table) -> Insert:
    return insert(table)


@lru_cache(maxsize=64)
def _insert_new(table: Table, dialect: str) -> Insert:
    if dialect == "postgresql":
        return postgresql.insert(table).on_conflict_do_nothing()
    return sqlite.insert(table).on_conflict_do_nothing()


@lru_cache(maxsize=512)
def _update(table: Table, where: _Shape, columns: tuple[str, ...]) -> Update:
    values: dict[str, Any] = {name: bindparam(f"set_{name}") for name in columns}
    return update(table).where(_equal(table, where)).values(values)


@lru_cache(maxsize=512)
def _select(table: Table, where: _Shape, order_by: tuple[str, ...], *, lock: bool) -> Select[Any]:
    ordered = (table.c[name] for name in order_by)
    found = select(table).where(_equal(table, where)).order_by(*ordered)
    # Rows that refer to a locked one may be written meanwhile; only its own columns are kept still.
    return found.with_for_update(key_share=True) if lock else found


def _equal(table: Table, where: _Shape) -> Any:
    return and_(
        *(
            table.c[name].is_(None) if is_null else table.c[name] == bindparam(f"is_{name}")
            for name, is_null in where
        )
    )
