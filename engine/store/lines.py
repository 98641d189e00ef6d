"""Chains as they are checked and exported: stored bytes, page by page, and no more memory for more of them."""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, Final

from sqlalchemy import Integer, Text, bindparam, select, tuple_

from engine.clock import iso, iso_of
from engine.ids import RunId, TenantId
from engine.rules.chaining import AUDIT, Line
from engine.store.audit import spelled as audit_words
from engine.store.database import Transaction
from engine.store.prepared import Prepared
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
_OF_TENANT: Final = audit.c.tenant == bindparam("tenant")
_BEHIND: Final = Prepared(
    _AUDIT.where(_OF_TENANT, audit.c.position > bindparam("after")).limit(bindparam("most"))
)


def journal_rows(
    tx: Transaction, tenant: TenantId, *, after: str = "", upto: str | None = None
) -> Iterator[Sequence[Sequence[Any]]]:
    """The journals of the runs behind `after`, up to `upto` and with it, one run after the other.

    Some rows at a time, as the driver has them: run, position, kind, name, path, data, moment, previous, hash.
    """
    given: dict[str, object] = {"tenant": tenant, "after": after, "upto": upto}
    is_bounded = upto is not None
    rows = _page(goes_on=False, is_bounded=is_bounded).plain(tx, given)
    while rows:
        yield rows
        if len(rows) < ROWS:
            return
        given |= {"after": rows[-1][0], "position": rows[-1][1]}
        rows = _page(goes_on=True, is_bounded=is_bounded).plain(tx, given)


@cache
def _page(*, goes_on: bool, is_bounded: bool) -> Prepared:
    after = bindparam("after", type_=Text())
    page = _JOURNAL.where(journal.c.tenant == bindparam("tenant"))
    if goes_on:
        position = bindparam("position", type_=Integer())
        page = page.where(tuple_(journal.c.run, journal.c.position) > tuple_(after, position))
    else:
        page = page.where(journal.c.run > after)
    if is_bounded:
        page = page.where(journal.c.run <= bindparam("upto"))
    return Prepared(page.limit(ROWS))


def journal_lines(
    tx: Transaction, tenant: TenantId, *, after: str = "", upto: str | None = None
) -> Iterator[Line]:
    """The same, line by line."""
    for rows in journal_rows(tx, tenant, after=after, upto=upto):
        yield from _lines(rows)


def journal_of(tx: Transaction, tenant: TenantId, run: RunId) -> Iterator[Line]:
    """One run's journal."""
    given: dict[str, object] = {"tenant": tenant, "run": run, "position": -1}
    rows = _OF_RUN.plain(tx, given)
    while rows:
        yield from _lines(rows)
        if len(rows) < ROWS:
            return
        given["position"] = rows[-1][1]
        rows = _OF_RUN.plain(tx, given)


_OF_RUN: Final = Prepared(
    _JOURNAL.where(
        journal.c.tenant == bindparam("tenant"),
        journal.c.run == bindparam("run"),
        journal.c.position > bindparam("position"),
    ).limit(ROWS)
)


def _lines(rows: Sequence[Sequence[Any]]) -> Iterator[Line]:
    for run, position, kind, name, path, data, at, previous, hashed in rows:
        moment, named = iso_of(at), (kind, name, path)
        text = journal_words(run, position, named, data=data, at=moment, previous=previous)
        yield Line(run, position, kind, data, moment, previous, hashed, text, path)


def audit_lines(
    tx: Transaction, tenant: TenantId, *, after: int = -1, most: int | None = None
) -> Iterator[Line]:
    """The audit's entries behind the position `after`; at `most` so many."""
    left = most
    while left is None or left > 0:
        limit = ROWS if left is None else min(left, ROWS)
        rows = _BEHIND.plain(tx, {"tenant": tenant, "after": after, "most": limit})
        for position, stored, data, at, previous, hashed in rows:
            moment, kind = iso_of(at), str(stored)  # a hand may have stored bytes
            text = audit_words(tenant, position, kind, data=data, at=moment, previous=previous)
            yield Line(AUDIT, position, kind, data, moment, previous, hashed, text)
        if len(rows) < limit:
            return
        after, left = rows[-1][0], None if left is None else left - len(rows)


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
