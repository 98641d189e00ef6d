"""Copies of a waiting run under fresh names, by the thousand: for measurements, whose rows must be real ones."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Table, insert, select
from sqlalchemy.util import await_only

from engine.clock import iso, micros
from engine.digest import canonical, sha256
from engine.errors import Fault
from engine.ids import ApprovalId, RunId
from engine.store.database import Transaction
from engine.store.tables import (
    approvals,
    checkpoints,
    journal,
    messages,
    outbox,
    runs,
    timers,
    versions,
)

_Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """A run that is like the one it was copied from, and the approval it waits for."""

    run: RunId
    approval: ApprovalId


def multiply(tx: Transaction, run: RunId, times: int) -> list[Copied]:
    """Store `times` copies of a run that waits for its one approval, with all that belongs to it.

    They are what the run itself is, down to its moments, under names of their own; the hashes of
    their journals are computed anew and true.

    Raises:
        Fault: if the run has not exactly one approval, if anything was sent for it, or if its journal
            is not as it was written.
    """
    kept = _kept(tx, run)
    asked = [row["id"] for row in kept[approvals]]
    if len(asked) != 1:
        raise Fault(f"Run {run} has {len(asked)} approvals; one is copied.", code="not_copied")
    named = [row["id"] for table in _WITH_NAMES for row in kept[table]]
    made = [{name: tx.ids.new(name.partition("_")[0]) for name in named} for _ in range(times)]
    lines = _lines([_Entry.of(row, named=named) for row in kept.pop(journal)], made)
    copied = {
        table: [_renamed(row, names) for names in made for row in rows]
        for table, rows in kept.items()
    }
    for row, own in zip(copied[runs], lines, strict=True):
        row["head"] = own[-1]["hash"]
    _store(tx, runs, copied.pop(runs))
    _store(tx, journal, [line for own in lines for line in own])
    for table, rows in copied.items():
        _store(tx, table, rows)
    return [Copied(run=RunId(names[run]), approval=ApprovalId(names[asked[0]])) for names in made]


@dataclass(frozen=True, slots=True)
class _Entry:
    """A line of the journal, and the text that its hash is of, with the old names in it."""

    row: _Row
    text: str
    names: tuple[str, ...]

    @classmethod
    def of(cls, row: _Row, *, named: Iterable[str]) -> "_Entry":
        body = {
            "at": iso(row["at"]),
            "data": json.loads(row["data"]),
            **{part: row[part] for part in ("kind", "name", "path", "position", "previous", "run")},
        }
        text = canonical(body).decode()
        if sha256(text.encode()) != row["hash"]:
            raise Fault(f"Entry {row['position']} is not as it was written.", code="not_copied")
        return cls(row, text, tuple(name for name in named if name in text))

    def copied(self, names: Mapping[str, str], *, previous: str) -> _Row:
        text, data = self.text, self.row["data"]
        if self.row["previous"]:
            text = text.replace(self.row["previous"], previous)
        for old in self.names:
            text, data = text.replace(old, names[old]), data.replace(old, names[old])
        return {
            **self.row,
            "run": names[self.row["run"]],
            "data": data,
            "previous": previous,
            "hash": sha256(text.encode()),
        }


def _kept(tx: Transaction, run: RunId) -> dict[Table, list[_Row]]:
    """Every row of the run, in an order in which they can be stored."""
    kept = {
        runs: _rows(tx, runs, id=[run]),
        journal: _rows(tx, journal, run=[run]),
        checkpoints: _rows(tx, checkpoints, run=[run]),
        approvals: _rows(tx, approvals, run=[run]),
    }
    asked = [row["id"] for row in kept[approvals]]
    for table in (versions, timers, messages):
        kept[table] = _rows(tx, table, approval=asked)
    if _rows(tx, outbox, message=[row["id"] for row in kept[messages]]):
        raise Fault(f"Something was sent for run {run} already.", code="not_copied")
    return kept


def _rows(tx: Transaction, table: Table, **among: Sequence[str]) -> list[_Row]:
    [(column, values)] = among.items()
    query = select(table).where(table.c[column].in_(values)).order_by(*table.primary_key.columns)
    return [dict(row) for row in tx.connection.execute(query).mappings()]


_WITH_NAMES: Final = (runs, approvals, timers, messages)


def _lines(entries: Sequence[_Entry], made: Sequence[Mapping[str, str]]) -> list[list[_Row]]:
    """For each copy its journal, each line chained to the one before it."""
    found: list[list[_Row]] = []
    for names in made:
        own: list[_Row] = []
        for entry in entries:
            own.append(entry.copied(names, previous=own[-1]["hash"] if own else ""))
        found.append(own)
    return found


def _renamed(row: _Row, names: Mapping[str, str]) -> _Row:
    # A name stands alone in its column: what is written of it elsewhere is the journal's.
    return {
        column: names.get(value, value) if isinstance(value, str) else value
        for column, value in row.items()
    }


def _store(tx: Transaction, table: Table, rows: Sequence[_Row]) -> None:
    if not rows:
        return
    columns = list(rows[0])
    if tx.connection.dialect.name == "postgresql":
        driver: Any = tx.connection.connection.driver_connection
        records = [tuple(row.values()) for row in rows]
        await_only(driver.copy_records_to_table(table.name, records=records, columns=columns))
        return
    statement = str(insert(table).compile(dialect=tx.connection.dialect))
    tx.connection.exec_driver_sql(
        statement, [tuple(_stored(value) for value in row.values()) for row in rows]
    )


def _stored(value: object) -> Any:
    return micros(value) if isinstance(value, datetime) else value
