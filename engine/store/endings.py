"""How an approval ends, whoever ends it: one compare-and-set, and everything that follows in the same transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from engine.clock import iso
from engine.digest import canonical
from engine.errors import AlreadyDecided
from engine.ids import PersonId, RunId
from engine.rules.states import ApprovalStatus, RunStatus
from engine.rules.tally import Outcome, Tally
from engine.store import agreeing, announcements, approvals, journal, links, timers
from engine.store.announcements import News
from engine.store.approvals import ApprovalChanges, ApprovalRow
from engine.store.database import Transaction
from engine.store.journal import NewEntry

EVENTS: Mapping[ApprovalStatus, str] = {
    ApprovalStatus.APPROVED: "approval.decided",
    ApprovalStatus.REJECTED: "approval.decided",
    ApprovalStatus.CHANGES_REQUESTED: "approval.decided",
    ApprovalStatus.EXPIRED: "approval.expired",
    ApprovalStatus.CANCELLED: "approval.cancelled",
}


def outcome(standing: Tally) -> tuple[ApprovalStatus, str] | None:
    """How an approval ends by these votes, and by which rule; None while it goes on."""
    match standing.outcome:
        case Outcome.OPEN:
            return None
        case Outcome.APPROVED:
            return ApprovalStatus.APPROVED, "quorum"
        case Outcome.REJECTED:
            return ApprovalStatus.REJECTED, "reject_quorum"
        case Outcome.CHANGES_REQUESTED:
            return ApprovalStatus.CHANGES_REQUESTED, "changes_requested"
        case Outcome.IMPOSSIBLE:
            return ApprovalStatus.REJECTED, "approval_impossible"


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
    changes = ApprovalChanges(status=status, decision=canonical(decision).decode(), ended_at=tx.now)
    if not approvals.change_open(tx, row.id, row.version, changes):
        raise AlreadyDecided(f"Approval {row.id} has ended already.")
    recorded = [*recorded_with, _decided(row, decision), *followed_by]
    _follow(tx, [_ended(tx, row, status, decision)], {row.run: recorded})


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How one of several approvals ends, and what its run records first."""

    row: ApprovalRow
    status: ApprovalStatus
    decision: Mapping[str, object]
    recorded_with: Sequence[NewEntry] = ()


def end_each(tx: Transaction, those: Sequence[Ending]) -> None:
    """As `end` for different approvals of one tenant, which this deed found open once it had locked them."""
    changed: list[tuple[ApprovalRow, ApprovalChanges]] = []
    ended: list[ApprovalRow] = []
    recorded: dict[RunId, list[NewEntry]] = {}
    for each in those:
        row, decision = each.row, agreeing.sealed(each.row.content, each.decision)
        changes = ApprovalChanges(
            status=each.status, decision=canonical(decision).decode(), ended_at=tx.now
        )
        changed.append((row, changes))
        ended.append(_ended(tx, row, each.status, decision))
        entries = recorded.setdefault(row.run, [])
        entries += [*each.recorded_with, _decided(row, decision)]
    approvals.change_each(tx, changed)
    _follow(tx, ended, recorded)


def _follow(
    tx: Transaction, ended: Sequence[ApprovalRow], recorded: Mapping[RunId, Sequence[NewEntry]]
) -> None:
    those = [row.id for row in ended]
    timers.cancel(tx, those)
    links.revoke_all(tx, those)
    journal.wake_each(tx, recorded)
    announcements.announce_each(tx, [News(row=row, event=EVENTS[row.status]) for row in ended])
    for approval in those:
        tx.hint(f"approval:{approval}")


def _decided(row: ApprovalRow, decision: Mapping[str, object]) -> NewEntry:
    data = {"approval": row.id, "version": row.version, "digest": row.digest, **decision}
    return NewEntry(kind="approval.decided", path=row.path, data=data)


def _ended(
    tx: Transaction, row: ApprovalRow, status: ApprovalStatus, decision: Mapping[str, object]
) -> ApprovalRow:
    """The row as it is now, without reading it again."""
    return replace(row, status=status, decision=decision, ended_at=tx.now)


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
