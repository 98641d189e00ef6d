"""How an approval ends, whoever ends it: one compare-and-set, and everything that follows in the same transaction."""

from collections.abc import Mapping, Sequence

from engine.clock import iso
from engine.digest import canonical
from engine.errors import AlreadyDecided
from engine.ids import PersonId
from engine.rules.states import ApprovalStatus, RunStatus
from engine.store import agreeing, announcements, approvals, journal, links, timers
from engine.store.approvals import ApprovalRow
from engine.store.database import Transaction
from engine.store.journal import NewEntry

EVENTS: Mapping[ApprovalStatus, str] = {
    ApprovalStatus.APPROVED: "approval.decided",
    ApprovalStatus.REJECTED: "approval.decided",
    ApprovalStatus.CHANGES_REQUESTED: "approval.decided",
    ApprovalStatus.EXPIRED: "approval.expired",
    ApprovalStatus.CANCELLED: "approval.cancelled",
}


def end(
    tx: Transaction,
    row: ApprovalRow,
    status: ApprovalStatus,
    *,
    decision: Mapping[str, object],
    recorded_with: Sequence[NewEntry] = (),
    followed_by: Sequence[NewEntry] = (),
) -> None:
    """End `row` as `status`, wake its run, cancel its rungs, kill its links and close every message.

    Exactly one caller succeeds, whatever arrives at the same time.

    Raises:
        AlreadyDecided: if it ended before, or was edited since `row` was read.
    """
    decision = agreeing.sealed(row.content, decision)
    changes = approvals.ApprovalChanges(
        status=status, decision=canonical(decision).decode(), ended_at=tx.now
    )
    if not approvals.change_open(tx, row.id, row.version, changes):
        raise AlreadyDecided(f"Approval {row.id} has ended already.")
    timers.cancel(tx, row.id)
    links.revoke_all(tx, row.id)
    decided = NewEntry(
        kind="approval.decided",
        path=row.path,
        data={"approval": row.id, "version": row.version, "digest": row.digest, **decision},
    )
    journal.wake(tx, row.run, [*recorded_with, decided, *followed_by])
    announcements.announce(tx, row, EVENTS[status])
    tx.hint(f"approval:{row.id}")


def decision_of(
    tx: Transaction,
    outcome: str,
    *,
    rule: str,
    by: Sequence[PersonId | str] = (),
    comment: str | None = None,
    changes: Mapping[str, object] | None = None,
) -> dict[str, object]:
    """A decision as it is stored, journaled and shown. `rule` says what brought it about."""
    return {
        "outcome": outcome,
        "by": list(by),
        "rule": rule,
        "comment": comment,
        "changes": dict(changes) if changes else {},
        "at": iso(tx.now),
    }


def is_live(status: RunStatus) -> bool:
    """Whether a run may still be woken."""
    return status in {RunStatus.CREATED, RunStatus.RUNNING, RunStatus.WAITING, RunStatus.PAUSED}
