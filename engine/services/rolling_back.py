"""Rolling a run back because an operator says so, and seeing before what that would undo."""

from typing import Final

from engine.errors import Conflict, Invalid
from engine.ids import RunId, TenantId
from engine.rules.states import RunStatus, WaitingReason
from engine.store import going_back, journal, pinned, runs, undoing
from engine.store.database import Transaction
from engine.store.going_back import Mode, Order
from engine.store.journal import NewEntry, RunChanges
from engine.store.points import Point
from engine.store.runs import RunRow
from engine.store.undoing import Plan

__all__ = ["Mode", "Order", "Plan", "begin", "is_going_back", "plan", "skip", "take_over"]

_OVER: Final = {
    RunStatus.COMPLETED: "what it did stays, and another run must take it back",
    RunStatus.ROLLED_BACK: "there is nothing left to undo",
}


def plan(tx: Transaction, tenant: TenantId, run: RunId, *, to: str | None = None) -> Plan:
    """What a rollback to `to` would undo now, newest first, and what would stay; nothing is changed.

    Raises:
        NotFound: if there is no such run. Invalid: `unknown_checkpoint`, naming those there are.
    """
    runs.get(tx, tenant, run)
    return undoing.whole_plan(journal.entries(tx, run), to=to)


def begin(tx: Transaction, tenant: TenantId, run: RunId, order: Order) -> Point:
    """Have the run undo what it did after the target, and then end or go on; gives the target.

    Its open approvals after the target end as cancelled. A run that failed, was cancelled or was
    killed may be undone afterwards; only one that failed may go on.

    Raises:
        NotFound: if there is no such run. Invalid: `unknown_checkpoint`, `unknown_step` or `unknown_undo_kind`,
            or `bad_rollback` for what cannot go together. Conflict: `run_ended`, `rolling_back`, or
            `run_driven` while somebody is inside one of its steps.
    """
    going_back.lock_asked(tx, run)
    row = runs.get(tx, tenant, run, lock=True)
    _check(tx, row, order)
    if order.only is not None or order.kinds is not None:
        _check_named(order, undoing.whole_plan(journal.entries(tx, run), to=order.to))
    return going_back.begin(tx, tenant, run, order)


def is_going_back(tx: Transaction, run: RunId) -> bool:
    """Whether a rollback of the run is under way, paused or stuck: who ends it then leaves the rest as it is."""
    return undoing.is_under_way(journal.entries(tx, run))


def skip(tx: Transaction, tenant: TenantId, run: RunId, *, by: str, reason: str) -> str:
    """Leave the step whose compensation is stuck as it is, and go on undoing; gives the step's name.

    Raises:
        NotFound: if there is no such run. Conflict: if no compensation is stuck.
    """
    row = runs.get(tx, tenant, run, lock=True)
    if row.reason is not WaitingReason.STUCK:
        raise Conflict(f"No compensation of run {run} is stuck.", code="not_stuck")
    left = undoing.plan(journal.entries(tx, run))[0]
    skipped = NewEntry(
        kind="compensation.skipped",
        name=left.step,
        path=left.path,
        data={"by": by, "reason": reason},
    )
    journal.append(tx, run, [skipped], changes=RunChanges(ready_at=tx.now))
    return left.step


def take_over(tx: Transaction, tenant: TenantId, run: RunId, *, by: str, reason: str) -> str:
    """Say that the stuck compensation was done by hand, and go on undoing; gives the step's name.

    Raises:
        NotFound: if there is no such run. Conflict: `not_stuck`, if no compensation is stuck.
    """
    row = runs.get(tx, tenant, run, lock=True)
    if row.reason is not WaitingReason.STUCK:
        raise Conflict(f"No compensation of run {run} is stuck.", code="not_stuck")
    left = undoing.plan(journal.entries(tx, run))[0]
    said = {"by": by, "reason": reason}
    taken = NewEntry(kind="compensation.taken_over", name=left.step, path=left.path, data=said)
    journal.append(tx, run, [taken], changes=RunChanges(ready_at=tx.now))
    return left.step


def _check(tx: Transaction, row: RunRow, order: Order) -> None:
    if row.status in _OVER:
        raise Conflict(
            f"Run {row.id} has ended: it is {row.status}; {_OVER[row.status]}.", code="run_ended"
        )
    if row.status is RunStatus.ROLLING_BACK or _was_rolling_back(tx, row):
        raise Conflict(f"Run {row.id} is rolling back already.", code="rolling_back")
    if pinned.is_held(tx, row.id):
        raise Conflict(
            f"Run {row.id} is being driven at this moment. Try again when it waits, or pause it.",
            code="run_driven",
        )
    resumes = order.mode == "resume"
    if resumes and row.status in {RunStatus.CANCELLED, RunStatus.KILLED}:
        raise Invalid(
            f"Run {row.id} was {row.status} and does not go on; roll it back with mode stop.",
            code="bad_rollback",
        )
    if resumes and (order.only is not None or order.kinds is not None):
        raise Invalid(
            "What is not undone would be done again: mode resume undoes all of it.",
            code="bad_rollback",
        )


def _was_rolling_back(tx: Transaction, row: RunRow) -> bool:
    return row.ended_at is None and undoing.is_under_way(journal.entries(tx, row.id))


def _check_named(order: Order, found: Plan) -> None:
    steps = [undo.step for undo in found.undoes]
    for name in order.only or ():
        if name not in steps:
            raise Invalid(
                f"No step {name!r} can be undone there; these can: {', '.join(steps) or 'none'}.",
                code="unknown_step",
            )
    kinds = sorted({undo.kind for undo in found.undoes})
    for kind in order.kinds or ():
        if kind not in kinds:
            raise Invalid(
                f"Nothing of the kind {kind!r} can be undone there; there is: {', '.join(kinds) or 'none'}.",
                code="unknown_undo_kind",
            )
