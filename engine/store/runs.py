"""Runs as rows: inserting, claiming with leases, and reading pages of them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Row, and_, bindparam, func, or_, select, tuple_, update

from engine.digest import canonical
from engine.errors import NotFound
from engine.ids import LeaseToken, RunId, TenantId, WorkerId
from engine.rules.states import RunStatus, WaitingReason
from engine.store import journal
from engine.store.database import Transaction
from engine.store.statements import add, change, find_one, holds
from engine.store.tables import runs

DAMAGED = (LookupError, TypeError, ValueError)  # what rows make us raise that nobody of ours wrote

log = structlog.get_logger("engine.store")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """One run. `awaits` names what a waiting run waits for; `owner` is the person behind an agent's key."""

    id: RunId
    tenant: TenantId
    workflow: str
    version: str
    status: RunStatus
    reason: WaitingReason | None
    awaits: str | None
    input: Mapping[str, object]
    result: Any
    error: Mapping[str, Any] | None
    started_by: str
    owner: str | None
    ready_at: datetime | None
    created_at: datetime
    updated_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The right to drive a run until the lease runs out, proved by a token that was never used before."""

    run: RunRow
    token: LeaseToken
    entries: Sequence[journal.Entry]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRun:
    """A run that is about to begin."""

    id: RunId
    tenant: TenantId
    workflow: str
    version: str
    input: Mapping[str, object]
    started_by: str
    owner: str | None = None


_STARTERS = select(runs.c.id, runs.c.started_by, runs.c.owner, runs.c.workflow).where(
    runs.c.id.in_(bindparam("ids", expanding=True))
)


def begin(tx: Transaction, new: NewRun, *, is_ready: bool = True) -> None:
    """Insert the run with its first entry; when `is_ready`, the next free worker takes it."""
    data = {
        "workflow": new.workflow,
        "version": new.version,
        "input": new.input,
        "started_by": new.started_by,
        "owner": new.owner,
    }
    line = journal.first_line(new.tenant, new.id, data, at=tx.now)
    row = {
        "id": new.id,
        "tenant": new.tenant,
        "workflow": new.workflow,
        "workflow_version": new.version,
        "status": RunStatus.CREATED,
        "input": canonical(new.input).decode(),
        "started_by": new.started_by,
        "owner": new.owner,
        "next_position": 1,
        "head": line["hash"],
        "ready_at": tx.now if is_ready else None,
        "created_at": tx.now,
        "updated_at": tx.now,
    }
    add(tx, runs, [row])
    journal.add_line(tx, line)
    if is_ready:
        tx.hint("runs")


_THESE = select(runs).where(runs.c.id.in_(bindparam("ids", expanding=True)))
_READY = (
    select(runs.c.id)
    .where(
        runs.c.ready_at <= bindparam("now"),
        or_(runs.c.lease_expires_at.is_(None), runs.c.lease_expires_at <= bindparam("now")),
        runs.c.workflow.in_(bindparam("workflows", expanding=True)),
    )
    .order_by(runs.c.ready_at, runs.c.id)
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True, key_share=True)
)


def claim(
    tx: Transaction, *, worker: WorkerId, workflows: Sequence[str], lease_for: timedelta, limit: int
) -> list[Claim]:
    """Lease up to `limit` ready runs of `workflows` to `worker`, the longest-waiting first, journals included.

    A run is ready when its `ready_at` has come and nobody holds it, or its lease ran out at or before now.
    Safe to call from many workers at once: no run is ever handed to two. One that cannot be read is
    handed to nobody and holds up no other: it is looked at again when its lease has run out.
    """
    given = {"now": tx.now, "workflows": list(workflows), "limit": limit}
    found = [RunId(row.id) for row in tx.connection.execute(_READY, given)]
    if not found:
        return []
    tokens = {run: LeaseToken(tx.ids.new("lease")) for run in found}
    for run, token in tokens.items():
        held = {
            "lease_token": token,
            "lease_holder": worker,
            "lease_expires_at": tx.now + lease_for,
        }
        change(tx, runs, {"id": run}, held)
    rows = {RunId(row.id): row for row in tx.connection.execute(_THESE, {"ids": found})}
    try:
        journals = journal.entries_of(tx, found)
        return [
            Claim(run=_run(rows[run]), token=tokens[run], entries=journals[run]) for run in found
        ]
    except DAMAGED:
        claims = [_readable(tx, rows[run], tokens[run]) for run in found]
        return [each for each in claims if each is not None]


def _readable(tx: Transaction, row: Row[Any], token: LeaseToken) -> Claim | None:
    try:
        return Claim(run=_run(row), token=token, entries=journal.entries(tx, RunId(row.id)))
    except DAMAGED:
        log.exception("run.damaged", run=row.id)
        return None


def renew(
    tx: Transaction, tokens: Mapping[RunId, LeaseToken], *, lease_for: timedelta
) -> set[RunId]:
    """Extend the leases that are still held; gives the runs that are not, whose drivers must stop."""
    lost: set[RunId] = set()
    for run, token in sorted(tokens.items()):  # in one order, so that two never wait for each other
        kept = {"lease_expires_at": tx.now + lease_for}
        if change(tx, runs, {"id": run, "lease_token": token}, kept) == 0:
            lost.add(run)
    return lost


def release(tx: Transaction, run: RunId, token: LeaseToken, *, ready_at: datetime | None) -> None:
    """Hand a claimed run back unchanged. Does nothing when the lease is no longer this one."""
    freed = journal.released(ready_at=ready_at)
    change(tx, runs, {"id": run, "lease_token": token}, {**freed})
    if ready_at is not None:
        tx.hint("runs")


def release_all(tx: Transaction) -> int:
    """Free every lease. Only for the sole owner of a file, at its start: whoever held one is dead."""
    done = tx.connection.execute(
        update(runs)
        .where(runs.c.lease_token.is_not(None))
        .values(lease_token=None, lease_holder=None, lease_expires_at=None)
    )
    return done.rowcount


def next_due(tx: Transaction) -> datetime | None:
    """When the next run becomes ready; None when none will by itself."""
    return tx.connection.execute(
        select(func.min(runs.c.ready_at)).where(runs.c.lease_token.is_(None))
    ).scalar()


def get(tx: Transaction, tenant: TenantId, run: RunId, *, lock: bool = False) -> RunRow:
    """The run. With `lock` it stays as it is until this deed has ended.

    Raises:
        NotFound: if this tenant has no such run.
    """
    row = find_one(tx, runs, {"id": run, "tenant": tenant}, lock=lock)
    if row is None:
        raise NotFound(f"There is no run {run}.")
    return _run(row)


def known_as(tx: Transaction, wanted: Sequence[RunId]) -> dict[RunId, frozenset[str]]:
    """For each run, the requesters who did not need to be believed: who started it, its owner, itself."""
    rows = tx.connection.execute(_STARTERS, {"ids": list(dict.fromkeys(wanted))}) if wanted else ()
    return {
        RunId(row.id): frozenset(
            {row.started_by, f"person:{row.owner}", f"workflow:{row.workflow}"}
        )
        for row in rows
    }


def page(
    tx: Transaction,
    tenant: TenantId,
    *,
    status: str | None,
    text: str | None,
    before: RunId | None,
    limit: int,
) -> list[RunRow]:
    """Up to `limit` runs with `text` in their workflow's name or their id, newest first, older than `before`."""
    query = select(runs).where(runs.c.tenant == tenant)
    if status is not None:
        query = query.where(runs.c.status == status)
    if text:
        query = query.where(holds(text, runs.c.workflow, runs.c.id))
    if before is not None:
        at = select(runs.c.created_at).where(runs.c.id == before).scalar_subquery()
        query = query.where(tuple_(runs.c.created_at, runs.c.id) < tuple_(at, before))
    rows = tx.connection.execute(
        query.order_by(runs.c.created_at.desc(), runs.c.id.desc()).limit(limit)
    )
    return [_run(row) for row in rows]


def counts(tx: Transaction, tenant: TenantId) -> dict[str, int]:
    """How many runs there are in each state."""
    rows = tx.connection.execute(
        select(runs.c.status, func.count())
        .where(and_(runs.c.tenant == tenant))
        .group_by(runs.c.status)
    )
    return {row[0]: row[1] for row in rows}


def _run(row: Row[Any]) -> RunRow:
    return RunRow(
        id=RunId(row.id),
        tenant=TenantId(row.tenant),
        workflow=row.workflow,
        version=row.workflow_version,
        status=RunStatus(row.status),
        reason=None if row.reason is None else WaitingReason(row.reason),
        awaits=row.awaits,
        input=json.loads(row.input),
        result=None if row.result is None else json.loads(row.result),
        error=None if row.error is None else json.loads(row.error),
        started_by=row.started_by,
        owner=row.owner,
        ready_at=row.ready_at,
        created_at=row.created_at,
        updated_at=row.updated_at,
        ended_at=row.ended_at,
    )
