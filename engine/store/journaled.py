"""Journals as they are read: entries in their order, of one run or of several."""

import json
from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import Row, bindparam, select

from engine.ids import RunId
from engine.store.database import Transaction
from engine.store.new_entry import Entry
from engine.store.prepared import Prepared
from engine.store.statements import Among, find_among
from engine.store.tables import journal

_BEHIND = Prepared(
    select(journal)
    .where(journal.c.run == bindparam("run"), journal.c.position > bindparam("after"))
    .order_by(journal.c.position)
    .limit(bindparam("limit"))
)


def entries(tx: Transaction, run: RunId, *, after: int = -1, limit: int = 1_000_000) -> list[Entry]:
    """The run's entries behind position `after`, in order."""
    rows = _BEHIND.rows(tx, {"run": run, "after": after, "limit": limit})
    return [_entry(row) for row in rows]


def entries_of(tx: Transaction, wanted: Iterable[RunId]) -> dict[RunId, list[Entry]]:
    """The journals of several runs in one query."""
    found: dict[RunId, list[Entry]] = {run: [] for run in wanted}
    for row in find_among(
        tx, journal, {}, among={"run": list(found)}, order_by=("run", "position")
    ):
        found[RunId(row.run)].append(_entry(row))
    return found


_KINDS = Among(
    select(journal.c.run, journal.c.kind).where(
        journal.c.kind.in_([bindparam("first"), bindparam("second")])
    ),
    journal.c.run,
)


def kinds_of(
    tx: Transaction, wanted: Collection[RunId], kinds: tuple[str, str]
) -> set[tuple[RunId, str]]:
    """Which of these two kinds of entries each of several runs has, without reading the others."""
    first, second = kinds
    rows = _KINDS.rows(tx, wanted, {"first": first, "second": second})
    return {(RunId(row.run), row.kind) for row in rows}


def _entry(row: Row[Any]) -> Entry:
    return Entry(
        run=RunId(row.run),
        position=row.position,
        kind=row.kind,
        name=row.name,
        path=row.path,
        data=json.loads(row.data),
        at=row.at,
        previous=row.previous,
        hash=row.hash,
    )
