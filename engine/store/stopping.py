"""Ending a run where it is, with what it started and what it asks: nothing is undone."""

from dataclasses import dataclass

from engine.digest import canonical
from engine.errors import Conflict
from engine.ids import RunId, TenantId
from engine.rules.states import ApprovalStatus
from engine.store import (
    approvals,
    budget_questions,
    endings,
    family,
    journal,
    runs,
    undoing,
)
from engine.store.approvals import ApprovalRow
from engine.store.database import Transaction
from engine.store.journal import NewEntry, RunChanges
from engine.store.runs import RunRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """Which entry ends the run, the code of its error, and by what `rule` its approvals are cancelled."""

    entry_kind: str
    code: str
    rule: str
    by: str
    reason: str


def cancelled(*, by: str, reason: str) -> Stop:
    """How a run is cancelled."""
    return Stop(
        entry_kind="run.cancelled", code="cancelled", rule="run_cancelled", by=by, reason=reason
    )


def stop(tx: Transaction, tenant: TenantId, run: RunId, how: Stop) -> tuple[str, ...]:
    """End the run for good, and those below it; gives the names of the steps that stay done.

    Locked are approvals before their run, as whoever votes locks them, and children before their
    parent, as whoever ends one does. A driver that is inside a step finishes that call, and its result
    is no longer written.

    Raises:
        NotFound: if there is no such run. Conflict: `run_ended`.
    """
    _open(tx, run)
    found = runs.get(tx, tenant, run)
    asked = budget_questions.open_ones(tx, found)
    _stop_below(tx, found, how)
    row = runs.get(tx, tenant, run, lock=True)
    if row.ended_at is not None:
        raise Conflict(f"Run {run} has ended: it is {row.status}.", code="run_ended")
    _stop_below(tx, row, how)  # what it started since
    stays = undoing.planned(journal.entries(tx, run))
    for approval in [*_open(tx, run), *asked]:
        decision = endings.decision_of(
            tx, "cancelled", rule=how.rule, by=[how.by], comment=how.reason
        )
        endings.end(tx, approval, ApprovalStatus.CANCELLED, decision=decision)
    ended = NewEntry(kind=how.entry_kind, data={"by": how.by, "reason": how.reason})
    error = canonical({"code": how.code, "message": how.reason}).decode()
    changes = RunChanges(ready_at=None, awaits=None, error=error)
    journal.append(tx, run, [ended], changes=changes)
    return stays


def _stop_below(tx: Transaction, row: RunRow, how: Stop) -> None:
    for child in family.living(tx, row):
        try:
            stop(tx, child.tenant, child.id, how)
        except Conflict:
            continue  # it has ended by itself meanwhile


def _open(tx: Transaction, run: RunId) -> list[ApprovalRow]:
    found = approvals.of_run(tx, run, lock=True)
    return [row for row in found if row.status is ApprovalStatus.OPEN]
