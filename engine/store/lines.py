"""Chains as they are checked and exported: stored bytes, page by page, and no more memory for more of them."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, select, tuple_

from engine.clock import iso
from engine.ids import RunId, TenantId
from engine.rules.chaining import AUDIT, Line
from engine.store.audit import spelled as audit_words
from engine.store.database import Transaction
from engine.store.spelling import spelled as journal_words
from engine.store.tables import audit, journal

ROWS: Final = 2_000  # at once

_JOURNAL: Final = select(
    journal.c.run,
    journal.c.position,
    journal.c.kind,
    journal.c.name,
    journal.c.path,
    journal.c.data,
    journal.c.at,
    journal.c.previous,
    journal.c.hash,
).order_by(journal.c.run, journal.c.position)
_AUDIT: Final = select(
    audit.c.position, audit.c.kind, audit.c.data, audit.c.at, audit.c.previous, audit.c.hash
).order_by(audit.c.position)


def journal_lines(
    tx: Transaction, tenant: TenantId, *, after: str = "", upto: str | None = None
) -> Iterator[Line]:
    """The journals of the runs behind `after`, up to `upto` and with it, one run after the other."""
    where = [journal.c.tenant == tenant, journal.c.run > after]
    if upto is not None:
        where.append(journal.c.run <= upto)
    return _journal(tx, _JOURNAL.where(*where).limit(ROWS))


def _journal(tx: Transaction, query: Any) -> Iterator[Line]:
    rows: Sequence[Any] = tx.connection.execute(query).all()
    while rows:
        for run, position, kind, name, path, data, at, previous, hashed in rows:
            moment = iso(at)
            named = (kind, name, path)
            text = journal_words(run, position, named, data=data, at=moment, previous=previous)
            yield Line(run, position, kind, data, moment, previous, hashed, text, path)
        rows = _following(tx, query, rows, tuple_(journal.c.run, journal.c.position))


def journal_of(tx: Transaction, tenant: TenantId, run: RunId) -> Iterator[Line]:
    """One run's journal."""
    query = _JOURNAL.where(journal.c.tenant == tenant, journal.c.run == run).limit(ROWS)
    return _journal(tx, query)


def audit_lines(
    tx: Transaction, tenant: TenantId, *, after: int = -1, most: int | None = None
) -> Iterator[Line]:
    """The audit's entries behind the position `after`; at `most` so many."""
    left = most
    while left is None or left > 0:
        where = (audit.c.tenant == tenant, audit.c.position > after)
        limit = ROWS if left is None else min(left, ROWS)
        rows = tx.connection.execute(_AUDIT.where(*where).limit(limit)).all()
        for position, kind, data, at, previous, hashed in rows:
            moment = iso(at)
            text = audit_words(tenant, position, kind, data=data, at=moment, previous=previous)
            yield Line(AUDIT, position, kind, data, moment, previous, hashed, text)
        if len(rows) < limit:
            return
        after, left = rows[-1].position, None if left is None else left - len(rows)


def audit_page(
    tx: Transaction, tenant: TenantId, *, kind: str | None, before: int | None, limit: int
) -> list[Line]:
    """Up to `limit` of the audit's entries whose kind begins with `kind`, newest first."""
    where = [audit.c.tenant == tenant]
    if kind:
        where.append(audit.c.kind.startswith(kind, autoescape=True))
    if before is not None:
        where.append(audit.c.position < before)
    query = _AUDIT.order_by(None).order_by(audit.c.position.desc()).limit(limit)
    rows = tx.connection.execute(query.where(*where))
    return [
        Line(AUDIT, row.position, row.kind, row.data, iso(row.at), row.previous, row.hash, "")
        for row in rows
    ]


def _following(
    tx: Transaction, query: Any, rows: Sequence[Any], key: ColumnElement[Any]
) -> Sequence[Any]:
    if len(rows) < ROWS:
        return ()
    return tx.connection.execute(query.where(key > (rows[-1].run, rows[-1].position))).all()
