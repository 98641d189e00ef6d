"""The states of runs and approvals, and the one journal entry that causes each change."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Final

from engine.errors import Conflict


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """One change of a run's state; no `before` means that the run did not exist.

    `when` are the reasons under which the edge may be taken, `keeps_reason` whether the reason
    stays as it was.
    """

    entry_kind: str
    before: frozenset[RunStatus]
    after: RunStatus
    reason: WaitingReason | None = None
    says: str
    when: frozenset[WaitingReason | None] = ANY_REASON
    keeps_reason: bool = False

    def fits(self, shape: RunShape | None) -> bool:
        """Whether a run of `shape` may take this edge."""
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


def apply(shape: RunShape | None, kind: str, data: Mapping[str, object]) -> RunShape:
    """The state of a run of `shape` after an entry of `kind`; None is a run not yet created.

    Where one kind leads to several states, `data["to"]` names the one meant, and the first in the
    table is meant without it. Entries of a quiet kind change nothing.

    Raises:
        ImpossibleChange: if no edge leads from here, or the run has ended; only entries in
            `AFTER_THE_END` are still possible then, and change nothing.
    """
    if shape is not None and kind in QUIET and (not shape.is_terminal or kind in AFTER_THE_END):
        return shape
    fitting = [edge for edge in _edges_by(kind) if edge.fits(shape)]
    wanted = data.get("to")
    if len(fitting) > 1 and wanted is not None:
        fitting = [edge for edge in fitting if edge.after == wanted]
    if not fitting:
        raise ImpossibleChange(f"{kind} cannot happen to a run that is {_described(shape)}.")
    edge = fitting[0]
    kept = shape.reason if shape is not None and edge.keeps_reason else edge.reason
    return RunShape(status=edge.after, reason=kept)


@cache
def _edges_by(kind: str) -> tuple[Edge, ...]:
    return tuple(edge for edge in RUN_EDGES if edge.entry_kind == kind)


def change_approval(
    before: ApprovalStatus | None, kind: str, after: ApprovalStatus
) -> ApprovalStatus:
    """`after`, if an entry of `kind` may lead there; None is an approval not yet opened.

    Raises:
        ImpossibleChange: if no edge leads there.
    """
    for edge in APPROVAL_EDGES:
        fits = before in edge.before if before is not None else not edge.before
        if fits and edge.entry_kind == kind and edge.after is after:
            return after
    raise ImpossibleChange(
        f"{kind} cannot make an approval {after} that is {before or 'not yet opened'}."
    )


def _described(shape: RunShape | None) -> str:
    if shape is None:
        return "not yet created"
    return f"{shape.status} ({shape.reason})" if shape.reason else str(shape.status)


def _edge(kind: str, before: str, after: str, says: str, *, when: str = "") -> Edge:
    # One line of the table below: "waiting:approval" is a state with its reason, "paused:*" one
    # whose reason stays as it was, and `when` the reasons there must be ("-" is none).
    status, _, reason = after.partition(":")
    return Edge(
        entry_kind=kind,
        before=frozenset(RunStatus(name) for name in before.split()),
        after=RunStatus(status),
        reason=WaitingReason(reason) if reason not in {"", "*"} else None,
        says=says,
        when=frozenset(None if name == "-" else WaitingReason(name) for name in when.split())
        or ANY_REASON,
        keeps_reason=reason == "*",
    )


_ALL: Final = " ".join(WaitingReason)

RUN_EDGES: Final = (
    _edge("run.created", "", "created", "Somebody starts it."),
    _edge("run.started", "created", "running", "A worker takes it up."),
    _edge("approval.opened", "running", "waiting:approval", "It asks people."),
    _edge("approval.opened", "created", "waiting:approval", "It asks without a workflow."),
    _edge("approval.decided", "waiting", "running", "People decided.", when="approval"),
    _edge("approval.decided", "paused", "paused", "People decided meanwhile.", when="approval"),
    _edge("sleep.started", "running", "waiting:timer", "It sleeps."),
    _edge("sleep.ended", "waiting", "running", "The time is over.", when="timer"),
    _edge("sleep.ended", "paused", "paused", "The time is over meanwhile.", when="timer"),
    _edge("step.retry_scheduled", "running", "waiting:timer", "A step is tried again later."),
    _edge("step.retried", "waiting", "running", "The step is tried again.", when="timer"),
    _edge("step.retried", "paused", "paused", "The step may be tried again.", when="timer"),
    _edge("run.changed", "running rolling_back", "waiting:changed", "Its code no longer fits."),
    _edge("run.retried", "waiting", "running", "It is tried again.", when="changed stuck"),
    _edge("run.retried", "waiting", "rolling_back",
        "Its rollback is tried again.", when="changed stuck"),
    _edge("run.quarantined", "running rolling_back", "waiting:quarantined",
        "It ended its worker again and again.", when="-"),
    _edge("run.released", "waiting", "running", "An operator lets it go on.", when="quarantined"),
    _edge("run.released", "waiting", "rolling_back",
        "An operator lets its rollback go on.", when="quarantined"),
    _edge("rollback.started", "running", "rolling_back", "What it did is being undone."),
    _edge("compensation.stuck", "rolling_back", "rolling_back:stuck",
        "An undo keeps failing.", when="-"),
    _edge("compensation.retried", "rolling_back", "rolling_back",
        "The undo is tried again.", when="stuck"),
    _edge("compensation.skipped", "rolling_back", "rolling_back",
        "The undo is left out.", when="stuck"),
    _edge("run.completed", "running", "completed", "It returns a result."),
    _edge("run.failed", "running rolling_back", "failed", "It ends with an error."),
    _edge("run.rolled_back", "rolling_back", "rolled_back", "All is undone.", when="-"),
    _edge("run.cancelled", "created running waiting paused rolling_back", "cancelled",
        "Somebody cancels it."),
    _edge("run.paused", "created running waiting", "paused:*", "An operator holds it."),
    _edge("run.paused", "rolling_back", "paused", "An operator holds its rollback.", when="-"),
    _edge("run.resumed", "paused", "running", "An operator lets it go on.", when="-"),
    _edge("run.resumed", "paused", "rolling_back", "Its rollback goes on.", when="-"),
    _edge("run.resumed", "paused", "waiting:*", "An operator lets it wait on.", when=_ALL),
)  # fmt: skip

QUIET: Final[Mapping[str, str]] = {
    "step.begun": "A step's intent, before its effect.",
    "step.finished": "A step's result.",
    "step.failed": "A step's attempt that failed.",
    "value.recorded": "A time, a random number or an id, so that a replay sees the same.",
    "patch.recorded": "A change of the code that this run goes along with.",
    "run.adopted": "From here on it runs another version of its workflow.",
    "checkpoint.created": "A place to which the run can be rolled back.",
    "vote.recorded": "One person's vote, counted or late.",
    "approval.edited": "The next version of an approval; earlier votes no longer count.",
    "approval.extended": "More time for an approval.",
    "approval.consumed": "A decision used by the step it was given for.",
    "rung.fired": "A rung of the ladder.",
    "compensation.begun": "An undo's intent, before its effect.",
    "compensation.finished": "An undo that is done.",
    "compensation.failed": "An undo's attempt that failed.",
}

AFTER_THE_END: Final = frozenset({"vote.recorded"})


def _decided(after: ApprovalStatus, says: str) -> ApprovalEdge:
    before = frozenset({ApprovalStatus.OPEN})
    return ApprovalEdge(entry_kind="approval.decided", before=before, after=after, says=says)


APPROVAL_EDGES: Final = (
    ApprovalEdge(
        entry_kind="approval.opened",
        before=frozenset(),
        after=ApprovalStatus.OPEN,
        says="The run asks.",
    ),
    ApprovalEdge(
        entry_kind="approval.opened",
        before=frozenset({ApprovalStatus.CHANGES_REQUESTED}),
        after=ApprovalStatus.OPEN,
        says="The run asks again: the next round.",
    ),
    ApprovalEdge(
        entry_kind="approval.edited",
        before=frozenset({ApprovalStatus.OPEN}),
        after=ApprovalStatus.OPEN,
        says="Its next version.",
    ),
    _decided(ApprovalStatus.APPROVED, "The quorum is reached, or a rung approves."),
    _decided(ApprovalStatus.REJECTED, "Enough people reject, or approval became impossible."),
    _decided(ApprovalStatus.EXPIRED, "The last rung fired."),
    _decided(ApprovalStatus.CHANGES_REQUESTED, "Somebody asks for changes."),
    _decided(ApprovalStatus.CANCELLED, "It is withdrawn, or its run is cancelled."),
)
