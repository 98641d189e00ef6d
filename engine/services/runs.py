"""Runs for those who start, watch and stop them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from engine.clock import iso
from engine.errors import Conflict
from engine.ids import RunId, TenantId
from engine.rules.states import RunStatus, WaitingReason
from engine.store import (
    agreement,
    allowances,
    approvals,
    checkpoints,
    doubts,
    drawing,
    family,
    holding,
    journal,
    pinned,
    points,
    readings,
    rollbacks,
    runs,
    sealing,
    segments,
    steps,
    stopping,
    subjects,
    summaries,
    undoing,
)
from engine.store.database import Transaction
from engine.store.family import Family, named
from engine.store.journal import Entry, NewEntry, RunChanges
from engine.store.pictures import ApprovalPicture
from engine.store.rollbacks import Report
from engine.store.runs import NewRun, RunRow
from engine.store.transitions import Transition, transitions
from engine.store.undoing import Plan

SETTLED: Final = frozenset({RunStatus.COMPLETED, RunStatus.ROLLED_BACK})  # never to be undone


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPicture:
    """A run as people see it. `started_by_name` is what they call who started it, where they do."""

    row: RunRow
    started_by_name: str
    steps: Sequence[steps.StepPicture]
    approvals: Sequence[ApprovalPicture]
    checkpoints: Sequence[Mapping[str, object]]
    rollbacks: Sequence[Report]
    held: Mapping[str, object] | None
    held_up: str | None
    plan: Plan
    monitor: Mapping[str, object]
    summary: Mapping[str, object]
    began_at: datetime | None
    budgets: Sequence[Mapping[str, object]]
    family: Family
    unknown: Sequence[Mapping[str, object]]

    @property
    def rollback(self) -> Report | None:
        """Its last rollback; None where there was none."""
        return self.rollbacks[-1] if self.rollbacks else None

    @property
    def undoes(self) -> tuple[str, ...]:
        """The names of the steps that a rollback would undo now, newest first."""
        return tuple(each.step for each in self.plan.undoes)

    def to_json(self) -> dict[str, object]:
        """The run as `GET /api/runs/{id}` answers it."""
        row = self.row
        return {
            "id": row.id,
            "workflow": row.workflow,
            "version": row.version,
            "status": row.status,
            "waiting_for": waiting_for(row),
            "input": row.input,
            "result": row.result,
            "error": row.error,
            "started_by": row.started_by,
            "started_by_name": self.started_by_name,
            "notify": [each.shown() for each in row.notify],
            "sandbox": row.sandbox is not None,
            "steps": [step.to_json() for step in self.steps],
            "approvals": [picture.to_json() for picture in self.approvals],
            "checkpoints": list(self.checkpoints),
            "budget": {"limits": list(self.budgets)} if self.budgets else None,
            "rollback": None if self.rollback is None else self.rollback.to_json(),
            "rollbacks": [each.to_json() for each in self.rollbacks],
            "plan": None if row.status in SETTLED else self.plan.to_json(),
            "held": self.held,
            "held_up": self.held_up,
            "undoes": list(self.undoes),
            "unknown": list(self.unknown),
            "monitor": self.monitor,
            "root": row.root,
            "above": [named(each) for each in self.family.above],
            "children": self.family.below(row.id),
            "summary": self.summary,
            "started_at": None if self.began_at is None else iso(self.began_at),
            **moments(row),
        }


def waiting_for(row: RunRow) -> dict[str, object] | None:
    """What the run waits for, if it does."""
    if row.reason is None:
        return None
    is_child = row.reason is WaitingReason.CHILD
    return {
        "reason": row.reason,
        "approval": None if is_child else row.awaits,
        "child": row.awaits if is_child else None,
    }


def moments(row: RunRow) -> dict[str, object]:
    """When the run began, last moved and ended."""
    return {
        "created_at": iso(row.created_at),
        "updated_at": iso(row.updated_at),
        "ended_at": None if row.ended_at is None else iso(row.ended_at),
    }


def start(tx: Transaction, new: NewRun) -> RunId:
    """Start a run; the next free worker takes it up. Its input was checked by its workflow before."""
    runs.begin(tx, new)
    return new.id


def picture(tx: Transaction, tenant: TenantId, run: RunId) -> RunPicture:
    """Everything shown of one run.

    Raises:
        NotFound: if this tenant has no such run.
    """
    row = sealing.opened_run(tx, runs.get(tx, tenant, run))
    entries = sealing.opened_entries(tx, tenant, journal.entries(tx, run))
    did = steps.pictures(entries)
    return RunPicture(
        row=row,
        started_by_name=subjects.name_of(tx, tenant, row.started_by),
        steps=did,
        checkpoints=checkpoints.of(tx, run),
        approvals=drawing.pictures(tx, approvals.of_run(tx, run)),
        rollbacks=rollbacks.reports(entries),
        held=holding.held(row, entries),
        held_up=pinned.held_up(tx, [row]).get(run),
        plan=undoing.whole_plan(entries),
        monitor=readings.telemetry(row, entries, now=tx.now),
        summary=summaries.summary(tx, row, did, entries),
        began_at=summaries.began_at(entries),
        budgets=allowances.of_run(tx, row),
        family=family.of(tx, row),
        unknown=doubts.pictures(entries),
    )


def find(tx: Transaction, tenant: TenantId, run: RunId) -> RunRow:
    """The run alone, without its steps and approvals.

    Raises:
        NotFound: if this tenant has no such run.
    """
    return sealing.opened_run(tx, runs.get(tx, tenant, run))


def page(
    tx: Transaction,
    tenant: TenantId,
    *,
    status: str | None = None,
    text: str | None = None,
    before: RunId | None = None,
    limit: int = 50,
) -> list[RunRow]:
    """Runs, newest first; with `text`, those that have it in their workflow's name or their id."""
    found = runs.page(tx, tenant, status=status, text=text, before=before, limit=limit)
    return [sealing.opened_run(tx, row) for row in found]


def entries(
    tx: Transaction, tenant: TenantId, run: RunId, *, after: int, limit: int
) -> list[Entry]:
    """A page of the run's journal, with what people wrote.

    Raises:
        NotFound: if this tenant has no such run.
    """
    runs.get(tx, tenant, run)
    found = journal.entries(tx, run, after=after, limit=limit)
    return sealing.opened_entries(tx, tenant, found)


def changes(tx: Transaction, tenant: TenantId, run: RunId) -> list[Transition]:
    """Every change of the run's state, oldest first, with what people wrote.

    Raises:
        NotFound: if this tenant has no such run.
    """
    runs.get(tx, tenant, run)
    return transitions(sealing.opened_entries(tx, tenant, journal.entries(tx, run)))


def cancel(
    tx: Transaction, tenant: TenantId, run: RunId, *, by: str, reason: str
) -> tuple[str, ...]:
    """Stop the run where it is, and what it started. Nothing is undone; gives the steps that stay done.

    A driver that is inside a step finishes that call, and its result is no longer written.

    Raises:
        NotFound: if there is no such run. Conflict: if it has ended.
    """
    how = stopping.cancelled(by=by, reason=reason)
    return stopping.stop(tx, tenant, run, how)


def retry(tx: Transaction, tenant: TenantId, run: RunId, *, by: str, reason: str) -> None:
    """Let a run go on that is stuck in a compensation, or stopped because its code had changed.

    Raises:
        NotFound: if there is no such run. Conflict: if it waits for neither.
    """
    row = runs.get(tx, tenant, run, lock=True)
    said = {"by": by, "reason": reason}
    if row.reason is WaitingReason.STUCK:
        entry = NewEntry(kind="compensation.retried", data=said)
    elif row.reason is WaitingReason.CHANGED:
        entry = NewEntry(kind="run.retried", data={**said, "to": _was(tx, run)})
    else:
        raise Conflict(
            f"Run {run} is neither stuck nor changed; only such runs are retried.", code="not_stuck"
        )
    journal.append(tx, run, [entry], changes=RunChanges(ready_at=tx.now))


def release(tx: Transaction, tenant: TenantId, run: RunId, *, by: str, reason: str) -> RunStatus:
    """Let a run go on that was set aside because it ended its workers; gives what it is now.

    It has all its tries again.

    Raises:
        NotFound: if there is no such run. Conflict: `not_quarantined`, if it was not set aside.
    """
    row = runs.get(tx, tenant, run, lock=True)
    if row.reason is not WaitingReason.QUARANTINED or row.status is not RunStatus.WAITING:
        raise Conflict(f"Run {run} is not in quarantine.", code="not_quarantined")
    said = {"by": by, "reason": reason, "to": _was(tx, run)}
    changes = RunChanges(ready_at=tx.now, tries=0)
    return journal.append(
        tx, run, [NewEntry(kind="run.released", data=said)], changes=changes
    ).status


def resume(tx: Transaction, tenant: TenantId, run: RunId, *, by: str, reason: str) -> RunStatus:
    """Let a run go on that is held, from where it stood; gives what it is now.

    Raises:
        NotFound: if there is no such run. Conflict: `not_paused`, if nobody holds it.
    """
    return holding.resume(tx, runs.get(tx, tenant, run, lock=True), by=by, reason=reason)


def verify(tx: Transaction, tenant: TenantId, run: RunId) -> list[str]:
    """What is wrong with the journal, or with what is stored and follows from it; nothing, if all is as written."""
    row, entries = runs.get(tx, tenant, run), journal.entries(tx, run)
    if not entries and segments.stands_for(tx, tenant, run):
        return []
    found = steps.differences(row, entries)
    # What a journal says that does not hold together is no measure of anything else.
    return found or agreement.of_run(tx, tenant, run, entries)


def counts(tx: Transaction, tenant: TenantId) -> dict[str, int]:
    """How many runs are in each state."""
    return runs.counts(tx, tenant)


def _was(tx: Transaction, run: RunId) -> RunStatus:
    """What a run was, that waits for its code or an operator to be driven on."""
    order = points.under_way(journal.entries(tx, run))
    return RunStatus.RUNNING if order is None else RunStatus.ROLLING_BACK
