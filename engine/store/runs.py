"""Runs as rows: inserting, and reading pages of them."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, and_, func, select, tuple_, update

from engine.digest import canonical
from engine.errors import NotFound
from engine.ids import LeaseToken, PersonId, RunId, TenantId
from engine.rules.following import Follower
from engine.rules.states import RunStatus, WaitingReason
from engine.store import followers, journal
from engine.store.database import Transaction
from engine.store.lineage import Above
from engine.store.searching import holds
from engine.store.statements import Among, add, change, find_one
from engine.store.tables import runs

DAMAGED = (LookupError, TypeError, ValueError)  # what rows make us raise that nobody of ours wrote


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """One run. `awaits` names what a waiting run waits for; `owner` is the person behind an agent's key.

    `tries` counts how often it was taken up since it last got somewhere. `parent` is the run that
    started it, at `parent_path` there, and `root` the one at the top of the tree: itself, if nobody did.
    `sandbox` is None for a real run, else what steps of it answer, by their names, instead of being done.
    """

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
    tries: int
    ready_at: datetime | None
    created_at: datetime
    updated_at: datetime
    ended_at: datetime | None
    parent: RunId | None
    parent_path: str | None
    root: RunId
    notify: Sequence[Follower] = ()
    sandbox: Mapping[str, object] | None = None

    @property
    def involved(self) -> frozenset[PersonId]:
        """Who never counts on what is asked for this run: who started it, and who answers for the key that did."""
        kind, _, starter = self.started_by.partition(":")
        return frozenset(
            PersonId(who) for who in (starter if kind == "person" else None, self.owner) if who
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The right to drive a run until the lease runs out, proved by a token that was never used before.

    `entries` are what its driver knows of the journal; it adds what it hears of while it drives.
    `counts_steps` says that a budget counts what every step takes, and not only what it says it costs.
    `above` are the runs above it, which never change.
    """

    run: RunRow
    token: LeaseToken
    entries: list[journal.Entry]
    counts_steps: bool = False
    above: Above = ()

    @property
    def sandbox(self) -> Mapping[str, object] | None:
        """The run's `sandbox`, also where only its journal still says that it is in one."""
        said = self.entries[0].data.get("sandbox") if self.entries else None
        return said if self.run.sandbox is None else self.run.sandbox


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
    parent: RunId | None = None
    parent_path: str | None = None
    root: RunId | None = None
    trace: Mapping[str, object] | None = None  # as `rules.threads` has it
    notify: Sequence[Follower] = ()
    sandbox: Mapping[str, object] | None = None  # as `RunRow` has it


_ORIGINS = Among(
    select(runs.c.id, runs.c.started_by, runs.c.owner, runs.c.workflow, runs.c.parent), runs.c.id
)


def begin(tx: Transaction, new: NewRun, *, is_ready: bool = True) -> None:
    """Insert the run with its first entry; when `is_ready`, the next free worker takes it."""
    data: dict[str, object] = {
        "workflow": new.workflow,
        "version": new.version,
        "input": new.input,
        "started_by": new.started_by,
        "owner": new.owner,
    }
    if new.parent is not None:
        data |= {"parent": new.parent, "parent_path": new.parent_path, "root": new.root}
    if new.trace is not None:
        data["trace"] = new.trace
    if new.notify:
        data["notify"] = [each.shown() for each in new.notify]
    if new.sandbox is not None:
        data["sandbox"] = new.sandbox
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
        "parent": new.parent,
        "parent_path": new.parent_path,
        "root": new.root,
        "notify": followers.written(new.notify),
        "sandbox": None if new.sandbox is None else canonical(new.sandbox).decode(),
    }
    add(tx, runs, [row])
    journal.add_line(tx, line)
    if is_ready:
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


def hold(tx: Transaction, run: RunId) -> None:
    """Let nobody take the run up by itself."""
    change(tx, runs, {"id": run}, {"ready_at": None})


def get(tx: Transaction, tenant: TenantId, run: RunId, *, lock: bool = False) -> RunRow:
    """The run. With `lock` it stays as it is until this deed has ended.

    Raises:
        NotFound: if this tenant has no such run.
    """
    row = find_one(tx, runs, {"id": run, "tenant": tenant}, lock=lock)
    if row is None:
        raise NotFound(f"There is no run {run}.")
    return run_of(row)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a run comes from: the requesters who did not need to be believed there, who are whoever
    started it, its owner and itself; and whether another run started it.
    """

    known: frozenset[str]
    is_child: bool


def origins(tx: Transaction, wanted: Iterable[RunId]) -> dict[RunId, Origin]:
    """The origins of these runs."""
    rows = _ORIGINS.rows(tx, list(dict.fromkeys(wanted)))
    return {RunId(row.id): Origin(_known(row), row.parent is not None) for row in rows}


def _known(row: Row[Any]) -> frozenset[str]:
    return frozenset({row.started_by, f"person:{row.owner}", f"workflow:{row.workflow}"})


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
    return [run_of(row) for row in rows]


def counts(tx: Transaction, tenant: TenantId) -> dict[str, int]:
    """How many runs there are in each state."""
    rows = tx.connection.execute(
        select(runs.c.status, func.count())
        .where(and_(runs.c.tenant == tenant))
        .group_by(runs.c.status)
    )
    return {row[0]: row[1] for row in rows}


def run_of(row: Row[Any]) -> RunRow:
    """The run that a row of the table is."""
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
        tries=row.tries,
        ready_at=row.ready_at,
        created_at=row.created_at,
        updated_at=row.updated_at,
        ended_at=row.ended_at,
        parent=None if row.parent is None else RunId(row.parent),
        parent_path=row.parent_path,
        root=RunId(row.root or row.id),
        notify=followers.read(row.notify),
        sandbox=None if row.sandbox is None else json.loads(row.sandbox),
    )
