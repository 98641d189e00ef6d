"""How a run begins to go back: its open approvals after the target end, and one entry says where to and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from engine.errors import Conflict
from engine.ids import LeaseToken, RunId, TenantId
from engine.rules.states import ApprovalStatus
from engine.store import announcements, approvals, endings, journal, points, undoing
from engine.store.approvals import ApprovalRow
from engine.store.database import Transaction
from engine.store.journal import Entry, NewEntry, RunChanges, released
from engine.store.points import Point

Mode = Literal["stop", "resume"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Where to go back to and why. `by` is whoever ordered it; None is the workflow's own terms.

    `only` are the names of the steps to be undone, and `kinds` their kinds, where not all are.
    """

    reason: str
    to: str | None = None
    mode: Mode = "stop"
    by: str | None = None
    approval: str | None = None
    only: tuple[str, ...] | None = None
    kinds: tuple[str, ...] | None = None
    error: Mapping[str, object] | None = None


def begin(
    tx: Transaction,
    tenant: TenantId,
    run: RunId,
    order: Order,
    *,
    token: LeaseToken | None = None,
    before: Sequence[NewEntry] = (),
) -> Point:
    """Have the run undo what it did after the target; gives that place.

    With a `token` its driver goes on to undo; without one any worker takes it up.

    Raises:
        Invalid: `unknown_checkpoint`. LeaseLost: as `journal.append`. Conflict: `cannot_go_on`, if
            somebody orders it to go on from before a step that cannot be undone; where its own terms
            say so, it stops instead.
    """
    asked = lock_asked(tx, run)
    if before:
        journal.append(tx, run, before, token=token)
    entries = journal.entries(tx, run)
    point = points.target(entries, order.to)
    order = _possible(entries, order, point)
    for row in asked:
        if _opened_at(entries, row) > point.position:
            _cancel(tx, row, order)
    started = NewEntry(kind="rollback.started", data=_said(order, point))
    changes = RunChanges(awaits=None, error=None, result=None, ended_at=None)
    if token is None:
        changes.update(released(ready_at=tx.now))
    journal.append(tx, run, [started], token=token, changes=changes)
    return point


def _possible(entries: Sequence[Entry], order: Order, point: Point) -> Order:
    """`order`, which does not go on where something that happened for good would be done again."""
    done = undoing.final(entries, point) if order.mode == "resume" else ()
    if not done:
        return order
    names = ", ".join(done)
    if order.by is not None:
        raise Conflict(
            f"{names} was done after {point.name} and cannot be undone; going on from there would do it "
            "again. Go back to a later checkpoint, or roll back with mode stop.",
            code="cannot_go_on",
        )
    why = f"{order.reason} It does not go on from there: {names} cannot be undone, and is not done twice."
    return replace(order, mode="stop", reason=why)


def lock_asked(tx: Transaction, run: RunId) -> list[ApprovalRow]:
    """The run's open approvals, to be locked before the run is, as whoever votes locks them."""
    found = approvals.of_run(tx, run, lock=True)
    return [row for row in found if row.status is ApprovalStatus.OPEN]


def tell(tx: Transaction, run: RunId) -> None:
    """Show on every message of the run's approvals what was undone."""
    for row in approvals.of_run(tx, run):
        announcements.announce(tx, row, "approval.updated")


def _cancel(tx: Transaction, row: ApprovalRow, order: Order) -> None:
    by = [] if order.by is None else [order.by]
    decision = endings.decision_of(tx, "cancelled", rule="rolled_back", by=by, comment=order.reason)
    endings.end(tx, row, ApprovalStatus.CANCELLED, decision=decision)


def _opened_at(entries: Sequence[Entry], row: ApprovalRow) -> int:
    return next(
        entry.position
        for entry in reversed(entries)
        if entry.kind == "approval.opened" and entry.data["approval"] == row.id
    )


def _said(order: Order, point: Point) -> dict[str, object]:
    said = {
        "to": point.name,
        "position": point.position,
        "mode": order.mode,
        "reason": order.reason,
        "by": order.by,
        "rejected": order.approval,
        "only": None if order.only is None else list(order.only),
        "kinds": None if order.kinds is None else list(order.kinds),
        "error": order.error,
    }
    return {name: value for name, value in said.items() if value is not None}
