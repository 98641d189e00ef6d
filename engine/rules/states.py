"""The states of runs and approvals, and what a change of one, or of a case, is."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from engine.errors import Conflict
from engine.rules.cases import CaseStatus


class RunStatus(StrEnum):
    """Where a run stands."""

    CREATED = "created"
    RUNNING = "running"
    WAITING = "waiting"
    PAUSED = "paused"
    ROLLING_BACK = "rolling_back"
    SETTLING = "settling"
    COMPLETED = "completed"
    FAILED = "failed"
    ROLLED_BACK = "rolled_back"
    CANCELLED = "cancelled"
    KILLED = "killed"


class WaitingReason(StrEnum):
    """What a run needs before it goes on."""

    APPROVAL = "approval"
    TIMER = "timer"
    CHILD = "child"
    BRANCHES = "branches"
    RECONCILE = "reconcile"
    BUDGET = "budget"
    HALTED = "halted"
    STUCK = "stuck"
    CHANGED = "changed"
    QUARANTINED = "quarantined"


class ApprovalStatus(StrEnum):
    """Where an approval stands."""

    OPEN = "open"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    CHANGES_REQUESTED = "changes_requested"
    CANCELLED = "cancelled"


class ImpossibleChange(Conflict, ValueError):
    """A journal entry asks for a change of state that does not exist."""

    code = "impossible_change"


TERMINAL: Final = frozenset(
    {
        RunStatus.COMPLETED,
        RunStatus.FAILED,
        RunStatus.ROLLED_BACK,
        RunStatus.CANCELLED,
        RunStatus.KILLED,
    }
)

ANY_REASON: Final = frozenset[WaitingReason | None]({None, *WaitingReason})


@dataclass(frozen=True, slots=True, kw_only=True)
class RunShape:
    """The state of a run, and what it needs before it goes on, if anything.

    A run that was paused while it waited keeps the reason, and waits again when it is resumed.
    """

    status: RunStatus
    reason: WaitingReason | None = None

    @property
    def is_terminal(self) -> bool:
        """Whether the run has ended for good."""
        return self.status in TERMINAL

    @property
    def goes_on(self) -> bool:
        """Whether the run may be taken up when something happens to it."""
        is_driven = self.reason is None and self.status is not RunStatus.PAUSED
        return is_driven or self == RunShape(
            status=RunStatus.WAITING, reason=WaitingReason.BRANCHES
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """One change of a run's state; no `before` means that the run did not exist.

    `when` are the reasons under which the edge may be taken, `keeps_reason` whether the reason
    stays as it was. `asks` is what the entry's data must name.
    """

    entry_kind: str
    before: frozenset[RunStatus]
    after: RunStatus
    reason: WaitingReason | None = None
    says: str
    when: frozenset[WaitingReason | None] = ANY_REASON
    keeps_reason: bool = False
    asks: str | None = None

    def leads_from(self, shape: RunShape | None) -> bool:
        """Whether a run of `shape` may take this edge, if its entry has what it `asks` for."""
        if shape is None:
            return not self.before
        return shape.status in self.before and shape.reason in self.when


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalEdge:
    """One change of an approval's state; no `before` means that it did not exist."""

    entry_kind: str
    before: frozenset[ApprovalStatus]
    after: ApprovalStatus
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseEdge:
    """One change of a case's state; no `before` means that it did not exist."""

    entry_kind: str
    before: frozenset[CaseStatus]
    after: CaseStatus
    says: str
