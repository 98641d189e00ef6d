"""Ending a run where it is, whatever it was at: its open approvals end with it, and nothing is undone."""

from dataclasses import dataclass

from engine.digest import canonical
from engine.errors import Conflict
from engine.ids import RunId, TenantId
from engine.rules.states import ApprovalStatus
from engine.store import approvals, budget_questions, endings, journal, runs, undoing
from engine.store.approvals import ApprovalRow
from engine.store.database import Transaction
from engine.store.journal import NewEntry, RunChanges


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """Which entry ends the run, the code of its error, and by what `rule` its approvals are cancelled."""

    entry_kind: str
    code: str
    rule: str
    by: str
    reason: str


def stop(tx: Transaction, tenant: TenantId, run: RunId, how: Stop) -> tuple[str, ...]:
    """End the run for good; gives the names of the steps that stay done.

    A driver that is inside a step finishes that call, and its result is no longer written.

    Raises:
        NotFound: if there is no such run. Conflict: `run_ended`.
    """
    # Locked before the run, as whoever votes locks them; what opened since is met below.
    _open(tx, run)
    asked = budget_questions.open_ones(tx, runs.get(tx, tenant, run))
    row = runs.get(tx, tenant, run, lock=True)
    if row.ended_at is not None:
        raise Conflict(f"Run {run} has ended: it is {row.status}.", code="run_ended")
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


def _open(tx: Transaction, run: RunId) -> list[ApprovalRow]:
    found = approvals.of_run(tx, run, lock=True)
    return [row for row in found if row.status is ApprovalStatus.OPEN]
