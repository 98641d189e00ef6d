"""Every change of a run's, an approval's and a case's state, with the one entry that causes it."""

from collections.abc import Mapping
from typing import Final

from engine.rules.cases import CaseStatus
from engine.rules.states import (
    ANY_REASON,
    ApprovalEdge,
    ApprovalStatus,
    CaseEdge,
    Edge,
    RunStatus,
    WaitingReason,
)


def _edge(
    kind: str, before: str, after: str, says: str, *, when: str = "", asks: str | None = None
) -> Edge:
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
        asks=asks,
    )


_ALL: Final = " ".join(WaitingReason)
# In these a branch of the run may still wait for something that others end.
_BRANCHED: Final = " ".join(
    ["-", *(each for each in WaitingReason if each not in {"approval", "timer", "child", "stuck"})]
)
_ELSEWHERE: Final = " ".join(each for each in _BRANCHED.split() if each != "budget")
_KNOWN: Final = " ".join(each for each in _BRANCHED.split() if each not in {"-", "reconcile"})

RUN_EDGES: Final = (
    _edge("run.created", "", "created", "Somebody starts it."),
    _edge("run.started", "created", "running", "A worker takes it up."),
    _edge("approval.opened", "running", "waiting:approval", "It asks people."),
    _edge("approval.opened", "running", "running", "A branch of it asks people."),
    _edge("approval.opened", "created", "waiting:approval", "It asks without a workflow."),
    _edge("approval.decided", "waiting", "running", "People decided.", when="approval"),
    _edge("approval.decided", "paused", "paused", "People decided meanwhile.", when="approval"),
    _edge("approval.decided", "running", "running", "People decided for a branch."),
    _edge("approval.decided", "waiting", "waiting:*",
        "People decided for a branch meanwhile.", when=_BRANCHED),
    _edge("approval.decided", "paused", "paused:*",
        "People decided for a branch meanwhile.", when=_BRANCHED),
    _edge("branches.waiting", "running", "waiting:branches", "Every branch that is left waits."),
    _edge("branches.woken", "waiting", "running", "A branch can go on.", when="branches"),
    _edge("child.started", "running", "waiting:child", "It starts another run and waits for it."),
    _edge("child.started", "running", "running", "A branch of it starts another run."),
    _edge("child.ended", "waiting", "running", "The run that it started has ended.", when="child"),
    _edge("child.ended", "paused", "paused",
        "The run that it started has ended meanwhile.", when="child"),
    _edge("child.ended", "running", "running", "The run that a branch started has ended."),
    _edge("child.ended", "rolling_back", "rolling_back",
        "The run that it started was ended, to be undone.", when="-"),
    _edge("child.ended", "waiting", "waiting:*",
        "The run that a branch started has ended meanwhile.", when=_BRANCHED),
    _edge("child.ended", "paused", "paused:*",
        "The run that a branch started has ended meanwhile.", when=_BRANCHED),
    _edge("child.undoing", "rolling_back", "rolling_back:child",
        "What a run did that it started is being undone.", when="-"),
    _edge("child.undone", "rolling_back", "rolling_back", "That is undone.", when="child"),
    _edge("sleep.started", "running", "waiting:timer", "It sleeps."),
    _edge("sleep.started", "running", "running", "A branch of it sleeps."),
    _edge("sleep.ended", "waiting", "running", "The time is over.", when="timer"),
    _edge("sleep.ended", "running", "running", "The branch has slept."),
    _edge("sleep.ended", "paused", "paused", "The time is over meanwhile.", when="timer"),
    _edge("step.retry_scheduled", "running", "waiting:timer", "A step is tried again later."),
    _edge("step.retry_scheduled", "running", "running", "A branch's step is tried again later."),
    _edge("step.retried", "running", "running", "The branch's step is tried again."),
    _edge("step.retried", "waiting", "running", "The step is tried again.", when="timer"),
    _edge("step.retried", "paused", "paused", "The step may be tried again.", when="timer"),
    _edge("effect.unknown", "running", "waiting:reconcile",
        "Nobody knows whether a step's effect happened."),
    _edge("effect.unknown", "running", "running",
        "Nobody knows whether the effect of a branch's step happened."),
    _edge("effect.settled", "waiting", "running", "An operator says it.", when="reconcile"),
    _edge("effect.settled", "paused", "paused", "An operator says it meanwhile.", when="reconcile"),
    _edge("effect.settled", "running", "running",
        "The step's probe says it, or an operator for a branch.", when="-"),
    _edge("effect.settled", "waiting", "waiting:*",
        "An operator says it for a branch meanwhile.", when=_KNOWN),
    _edge("effect.settled", "paused", "paused:*",
        "An operator says it for a branch meanwhile.", when=f"- {_KNOWN}"),
    _edge("budget.asked", "running", "waiting:budget", "It asks for more than its budget has left."),
    _edge("budget.asked", "running", "running", "A branch of it asks to spend more."),
    _edge("budget.raised", "waiting", "running", "It may spend more.", when="budget"),
    _edge("budget.raised", "running", "running", "A branch of it: it may spend more."),
    _edge("budget.raised", "waiting", "waiting:*", "A branch of it: it may spend more.", when=_ELSEWHERE),
    _edge("budget.raised", "paused", "paused", "It may spend more, once resumed.", when="budget"),
    _edge("budget.raised", "paused", "paused:*", "A branch of it: it may spend more.", when=_ELSEWHERE),
    _edge("budget.kept", "waiting", "running", "It may not spend more.", when="budget"),
    _edge("budget.kept", "running", "running", "A branch of it: it may not spend more."),
    _edge("budget.kept", "waiting", "waiting:*", "A branch of it: it may not spend more.", when=_ELSEWHERE),
    _edge("budget.kept", "paused", "paused", "It may not spend more, once resumed.", when="budget"),
    _edge("budget.kept", "paused", "paused:*", "A branch of it: it may not spend more.", when=_ELSEWHERE),
    _edge("run.changed", "running rolling_back", "waiting:changed", "Its code no longer fits."),
    _edge("run.retried", "waiting", "running", "It is tried again.", when="changed stuck"),
    _edge("run.retried", "waiting", "rolling_back",
        "Its rollback is tried again.", when="changed stuck"),
    _edge("run.quarantined", "running rolling_back", "waiting:quarantined",
        "It ended its worker again and again.", when="-"),
    _edge("run.released", "waiting", "running", "An operator lets it go on.", when="quarantined"),
    _edge("run.released", "waiting", "rolling_back",
        "An operator lets its rollback go on.", when="quarantined"),
    _edge("rollback.started", "created running waiting paused", "rolling_back",
        "What it did is being undone."),
    _edge("rollback.started", "failed cancelled killed", "rolling_back",
        "An operator undoes what it left behind."),
    _edge("rollback.resumed", "rolling_back", "running",
        "It goes on from where it went back to.", when="-"),
    _edge("approval.opened", "rolling_back", "rolling_back:approval",
        "People are asked before something is undone.", when="-"),
    _edge("approval.decided", "rolling_back", "rolling_back",
        "They decided.", when="- approval"),
    _edge("rollback.started", "completed", "rolling_back",
        "The run that started it is undone, and so is what it did.", asks="parent"),
    _edge("compensation.stuck", "rolling_back", "rolling_back:stuck",
        "An undo keeps failing.", when="-"),
    _edge("compensation.retried", "rolling_back", "rolling_back",
        "The undo is tried again.", when="stuck"),
    _edge("compensation.skipped", "rolling_back", "rolling_back",
        "The undo is left out.", when="- stuck"),
    _edge("compensation.taken_over", "rolling_back", "rolling_back",
        "Somebody undid it by hand.", when="stuck"),
    _edge("run.halted", "running rolling_back", "waiting:halted",
        "A kill switch above it is engaged.", when="-"),
    _edge("run.freed", "waiting", "running", "The kill switch is released.", when="halted"),
    _edge("run.freed", "waiting", "rolling_back", "Its rollback goes on.", when="halted"),
    _edge("run.freed", "paused", "paused", "The kill switch is released meanwhile.", when="halted"),
    _edge("run.completed", "running", "completed", "It returns a result."),
    _edge("run.failed", "running rolling_back", "failed", "It ends with an error."),
    _edge("run.rolled_back", "rolling_back", "rolled_back", "All is undone.", when="-"),
    _edge("run.cancelled", "created running waiting paused rolling_back", "cancelled",
        "Somebody cancels it."),
    _edge("run.killed", "created running waiting paused rolling_back", "killed",
        "An operator kills it; nothing is undone."),
    _edge("run.paused", "created running waiting", "paused:*", "An operator holds it."),
    _edge("run.paused", "rolling_back", "paused",
        "An operator holds its rollback.", when="- approval"),
    _edge("run.resumed", "paused", "running", "An operator lets it go on.", when="-"),
    _edge("run.resumed", "paused", "rolling_back", "Its rollback goes on.", when="-"),
    _edge("run.resumed", "paused", "waiting:*", "An operator lets it wait on.", when=_ALL),
)  # fmt: skip

QUIET: Final[Mapping[str, str]] = {
    "step.begun": "A step's intent, before its effect, with what its budgets keep back for it.",
    "step.finished": "A step's result.",
    "step.failed": "A step's attempt that failed.",
    "value.recorded": "A time, a random number or an id, so that a replay sees the same.",
    "patch.recorded": "A change of the code that this run goes along with.",
    "run.adopted": "From here on it runs another version of its workflow.",
    "branches.begun": "From here on its branches go on by themselves.",
    "branches.ended": "A branch ended all of them; the others go no further.",
    "checkpoint.created": "A place to which the run can be rolled back.",
    "vote.recorded": "One person's vote, counted or late.",
    "approval.edited": "The next version of an approval; earlier votes no longer count.",
    "approval.extended": "More time for an approval.",
    "approval.consumed": "A decision used by the step it was given for.",
    "rung.fired": "A rung of the ladder.",
    "monitor.fired": "What a monitor found, and what was done about it.",
    "budget.reserved": "What a step may cost, kept back before it begins, where no intent is journaled.",
    "budget.settled": "What was kept back for a step in which the run was ended counts as spent.",
    "budget.overrun": "A step cost more than it had said.",
    "budget.warned": "A budget is spent to 50, 75, 90 or 100 percent.",
    "budget.exceeded": "A step did not begin: its budget has not enough left.",
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


def _case(kind: str, before: str, after: str, says: str) -> CaseEdge:
    states = frozenset(CaseStatus(name) for name in before.split())
    return CaseEdge(entry_kind=kind, before=states, after=CaseStatus(after), says=says)


CASE_EDGES: Final = (
    _case("case.opened", "", "open", "Somebody wants to know an outcome."),
    _case("case.signalled", "open in_reconciliation", "resolved_provisional",
        "Who has reported agrees; that is not enough yet."),
    _case("case.signalled", "resolved_provisional", "in_reconciliation",
        "Sources report different outcomes, or enough have reported and are too unsure."),
    _case("case.finalized", "resolved_provisional in_reconciliation", "final",
        "The sources agree, or people or an operator decided."),
    _case("case.settled", "final", "settled", "The effect that required the outcome happened."),
    _case("case.expired", "open resolved_provisional in_reconciliation", "expired",
        "Its time was over before there was an outcome; operators are told."),
    _case("case.closed", "open resolved_provisional in_reconciliation", "closed",
        "An operator closed it, with a reason: there will be no outcome."),
)  # fmt: skip

QUIET_CASES: Final[Mapping[str, str]] = {
    "case.signalled": "A source's signal that changes nothing else.",
    "case.signalled_late": "A signal after the end of the matter; it is kept and does not count.",
    "case.asked": "People are asked which outcome holds.",
    "case.unanswered": "They gave none, or could not be asked: operators are told.",
}
