"""Carries every row of one database into another, and says whether both hold the same."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import Connection, LargeBinary, Row, Table, insert, literal, select, tuple_
from sqlalchemy.exc import DBAPIError

from engine.clock import micros
from engine.errors import Fault, Invalid
from engine.store.tables import metadata

ROWS: Final = 1_000  # at once; the memory that is needed, and no more
HEAVY_ROWS: Final = 20  # of a table that keeps files

TABLES: Final[Sequence[Table]] = metadata.sorted_tables


@dataclass(frozen=True, slots=True)
class Tally:
    """How many rows a table has, and a sum over all their values that does not ask for their order."""

    rows: int = 0
    digest: int = 0

    def and_also(self, rows: Sequence[Sequence[object]]) -> "Tally":
        """This one with `rows` added."""
        added = sum(int.from_bytes(sha256(_spelled(row)).digest()) for row in rows)
        return Tally(self.rows + len(rows), (self.digest + added) % (1 << 256))


def carry(source: Connection, target: Connection) -> Mapping[str, int]:
    """Copy every table of `source` into `target`, where they are empty, and compare the two afterwards.

    Types are the tables' own, so that a moment stays the same moment to the microsecond. Gives how
    many rows of which table there are. Nothing is committed here.

    Raises:
        Invalid: `bad_text`, if a text cannot be kept there; it says which.
        Fault: `not_equal`, if `target` then holds anything else than `source`.
    """
    sent = {table.name: _carried(source, target, table) for table in TABLES}
    arrived = {table.name: _tally(target, table) for table in TABLES}
    if differing := [name for name, tally in sent.items() if arrived[name] != tally]:
        raise Fault(
            f"What arrived of {', '.join(differing)} is not what was sent. Nothing was kept there.",
            code="not_equal",
        )
    return {name: tally.rows for name, tally in sent.items()}


def is_empty(connection: Connection) -> bool:
    """Whether no table has a row, but for what is known of the database as a whole."""
    told = (table for table in TABLES if table.name != "meta")
    return not any(connection.execute(select(1).select_from(table)).first() for table in told)


def _carried(source: Connection, target: Connection, table: Table) -> Tally:
    tally = Tally()
    for batch in batches(source, table):
        tally = tally.and_also(batch)
        given = [dict(zip(table.c.keys(), row, strict=True)) for row in batch]
        try:
            target.execute(insert(table), given)
        except DBAPIError:
            _demand_plain(table, given)
            raise
    return tally


def _tally(connection: Connection, table: Table) -> Tally:
    tally = Tally()
    for batch in batches(connection, table):
        tally = tally.and_also(batch)
    return tally


def batches(connection: Connection, table: Table) -> Iterator[Sequence[Row[*tuple[Any, ...]]]]:
    """Every row of `table` in the order of its key, some at a time."""
    is_heavy = any(isinstance(column.type, LargeBinary) for column in table.c)
    key = list(table.primary_key)
    # Page by page: a cursor of PostgreSQL stays open until the end of the transaction, and keeps its
    # table from being altered.
    page = select(table).order_by(*key).limit(HEAVY_ROWS if is_heavy else ROWS)
    rows = connection.execute(page).all()
    while rows:
        yield rows
        last = tuple_(*(literal(getattr(rows[-1], each.name), each.type) for each in key))
        rows = connection.execute(page.where(tuple_(*key) > last)).all()


def _demand_plain(table: Table, rows: Sequence[Mapping[str, object]]) -> None:
    for row in rows:
        for column, value in row.items():
            if isinstance(value, str) and "\0" in value:
                key = ", ".join(str(row[each.name]) for each in table.primary_key)
                raise Invalid(
                    f"PostgreSQL keeps no text with NUL in it, and {table.name}.{column} of {key} "
                    "has one. Mend that row; nothing was moved.",
                    code="bad_text",
                )


def _spelled(row: Sequence[object]) -> bytes:
    return repr([_plain(value) for value in row]).encode("utf-8", "surrogatepass")


def _plain(value: object) -> object:
    return micros(value) if isinstance(value, datetime) else value
