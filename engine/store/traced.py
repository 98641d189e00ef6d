"""Runs as traces: their spans, and which runs have something new for whoever keeps traces."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, select, text

from engine.clock import from_iso, iso
from engine.ids import RunId, TenantId
from engine.rules.span_book import spans_of
from engine.rules.spans import Posted, Span, Subject
from engine.rules.threads import Thread, thread_of
from engine.store import journal
from engine.store.database import Transaction
from engine.store.journal import Entry
from engine.store.runs import RunRow, run_of
from engine.store.statements import add_new, change, find_among, find_one
from engine.store.tables import NEWS, messages, meta, outbox, runs
from engine.store.tables import journal as lines

CURSOR: Final = "traces"  # up to which moment they are sent, and who is sending them until when


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """One run's spans. `told` are the moments of its news, between which its spans are sent."""

    run: RunRow
    thread: Thread
    spans: Sequence[Span]
    told: Sequence[datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Up to which moment traces are sent; `holder` sends what follows, until its time is over."""

    at: datetime
    holder: str | None = None
    until: datetime | None = None

    def written(self) -> str:
        """As it is kept."""
        until = None if self.until is None else iso(self.until)
        return json.dumps({"at": iso(self.at), "holder": self.holder, "until": until})


def turn(tx: Transaction) -> Turn | None:
    """Who is at it, and how far everything is sent; None before the first was."""
    row = find_one(tx, meta, {"key": CURSOR})
    if row is None:
        return None
    kept = json.loads(row.value)
    until = None if kept["until"] is None else from_iso(kept["until"])
    return Turn(at=from_iso(kept["at"]), holder=kept["holder"], until=until)


def take_turn(tx: Transaction, before: Turn | None, after: Turn) -> bool:
    """Put `after` in place of `before`; False if somebody else was faster."""
    row = {"key": CURSOR, "value": after.written()}
    if before is None:
        return add_new(tx, meta, row)
    return change(tx, meta, {"key": CURSOR, "value": before.written()}, row) == 1


def boundary(
    tx: Transaction, tenant: TenantId, after: datetime, until: datetime, *, limit: int
) -> datetime | None:
    """Up to which moment there are no more than about `limit` news behind `after`; None if there are none."""
    found: datetime | None = tx.connection.execute(
        select(lines.c.at)
        .where(_between(tenant, after, until))
        .order_by(lines.c.at)
        .offset(limit - 1)
        .limit(1)
    ).scalar()
    if found is not None:
        return found
    some = select(lines.c.run).where(_between(tenant, after, until)).limit(1)
    return None if tx.connection.execute(some).first() is None else until


def changed(tx: Transaction, tenant: TenantId, after: datetime, until: datetime) -> list[RunId]:
    """The runs of a tenant that have news in that time."""
    query = select(lines.c.run).where(_between(tenant, after, until)).distinct()
    return [RunId(row.run) for row in tx.connection.execute(query)]


def traces(tx: Transaction, tenant: TenantId, wanted: Sequence[RunId]) -> list[Trace]:
    """The traces of these runs."""
    rows = [run_of(row) for row in find_among(tx, runs, {}, among={"id": list(wanted)})]
    entries = journal.entries_of(tx, wanted)
    approvals = {
        str(entry.data["approval"]): run
        for run, found in entries.items()
        for entry in found
        if entry.kind == "approval.opened"
    }
    posted: dict[RunId, list[Posted]] = {run: [] for run in wanted}
    for each in _posted(tx, list(approvals)):
        posted[approvals[each.approval]].append(each)
    kept = [row for row in rows if entries[row.id]]
    return [_trace(tenant, row, entries[row.id], posted[row.id]) for row in kept]


def tree(tx: Transaction, row: RunRow, *, limit: int) -> list[RunId]:
    """The run, and what it started in turn, as many as `limit`; the oldest first."""
    query = (
        select(runs.c.id, runs.c.parent)
        .where(runs.c.root == row.root)
        .order_by(runs.c.created_at, runs.c.id)
        .limit(10 * limit)
    )
    found = [row.id]
    for each in tx.connection.execute(query):
        if each.parent in found and len(found) < limit:
            found.append(RunId(each.id))
    return found


def _trace(
    tenant: TenantId, row: RunRow, entries: Sequence[Entry], posted: Sequence[Posted]
) -> Trace:
    created = entries[0].data
    thread = thread_of(created, root=row.root, parent=row.parent, parent_path=row.parent_path)
    subject = Subject(run=row.id, thread=thread, facts=_facts(tenant, row, created))
    news = [entry.at for entry in entries if _is_news(entry.kind)]
    return Trace(run=row, thread=thread, spans=spans_of(subject, entries, posted), told=news)


def _facts(
    tenant: TenantId, row: RunRow, created: Mapping[str, Any]
) -> dict[str, str | int | bool]:
    is_sandbox = row.sandbox is not None or "sandbox" in created
    marks: dict[str, str | int | bool] = {"signoff.sandbox": True} if is_sandbox else {}
    return {
        **marks,
        "signoff.run": row.id,
        "signoff.workflow": str(created["workflow"]),
        "signoff.workflow_version": row.version,
        "signoff.tenant": tenant,
        "signoff.started_by": row.started_by,
    }


def _posted(tx: Transaction, approvals: Sequence[str]) -> list[Posted]:
    if not approvals:
        return []
    query = (
        select(
            outbox.c.id,
            outbox.c.channel,
            outbox.c.event,
            outbox.c.status,
            outbox.c.attempts,
            outbox.c.created_at,
            outbox.c.ended_at,
            messages.c.approval,
        )
        .join(messages, messages.c.id == outbox.c.message)
        .where(messages.c.approval.in_(approvals))
        .order_by(outbox.c.created_at, outbox.c.id)
    )
    return [
        Posted(
            id=row.id,
            approval=row.approval,
            channel=row.channel,
            event=row.event,
            status=row.status,
            attempts=row.attempts,
            began_at=row.created_at,
            ended_at=row.ended_at,
        )
        for row in tx.connection.execute(query)
    ]


def _between(tenant: TenantId, after: datetime, until: datetime) -> ColumnElement[bool]:
    return and_(lines.c.tenant == tenant, lines.c.at > after, lines.c.at <= until, text(NEWS))


_QUIET: Final = frozenset(re.findall(r"'([a-z_.]+)'", NEWS))


def _is_news(kind: str) -> bool:
    return kind not in _QUIET
