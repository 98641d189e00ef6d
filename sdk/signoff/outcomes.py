"""How waiting ends: the decision a run gets back, and the exceptions raised where there is none."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import ClassVar, Final, Literal

from signoff.calls import Call


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What people, a policy or a deadline decided; pass it to the step that it allows.

    `outcome` is `continued` where a rung of the ladder went on without the approvers: then `by` is
    empty and `changes` holds what that rung said. Where approvers may change what is asked (the kinds
    `modify` and `budget`), `changes` is what they changed, `details` is what was asked with these
    changes, and `call` is the changed call, the only one that `run.step` makes with this decision.
    `form` is what a form was filled in with, its defaults included; the call's arguments of the same
    names hold it, too.
    """

    approval: str
    outcome: Literal["approved", "continued"]
    digest: str
    by: tuple[str, ...]
    at: datetime
    changes: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    details: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    form: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    comment: str | None = None
    call: Call[object] | None = None


class ApprovalEnded(Exception):
    """An approval ended and the run may not go on. Not caught, it rolls the run back."""

    outcome: ClassVar[str] = "ended"

    checkpoint: str | None = None
    """The checkpoint that was made last before it ended; None if there was none."""
    last_approved: str | None = None
    """The last checkpoint after which an approval was given, else `start`: where a rollback goes."""

    def __init__(
        self, approval: str, *, comment: str | None = None, by: tuple[str, ...] = ()
    ) -> None:
        super().__init__(_sentence(type(self).outcome, approval, comment, by))
        self.approval = approval
        self.comment = comment
        self.by = by


class Rejected(ApprovalEnded):
    """Enough people said no, or too few were left who could say yes."""

    outcome = "rejected"


class Expired(Rejected):
    """Nobody decided before the ladder's last rung, which rejects."""

    outcome = "expired"


class ChangesRequested(ApprovalEnded):
    """Somebody wants something else first; `comment` says what. Asking again is the next round."""

    outcome = "changes_requested"


class Cancelled(ApprovalEnded):
    """The request was withdrawn, or its decision was revoked before it was used."""

    outcome = "cancelled"


class NoEffect(Exception):
    """Raise this in a step that failed and certainly did nothing: trying again is safe."""


class BudgetExceeded(Exception):
    """A step would spend more than a budget has left, and did not begin.

    Caught, the run goes on without it: take something cheaper. Not caught, the run fails, or is
    rolled back where the budget says so. `facts` hold scope, period, unit, limit, spent and asked.
    """

    code: ClassVar[str] = "budget_exceeded"

    def __init__(self, message: str, *, facts: Mapping[str, object]) -> None:
        super().__init__(message)
        self.facts = facts
        self.limit = str(facts.get("limit", ""))
        self.spent = str(facts.get("spent", ""))
        self.asked = str(facts.get("asked", ""))

    def to_json(self) -> dict[str, object]:
        """The refusal as a run's error."""
        return {"code": self.code, "message": str(self), **self.facts}


class Declined(NoEffect):
    """Raise this in a step where the target said no for good: nothing was done, and no retry helps."""


class StepFailed(Exception):
    """A step failed for good, after all its attempts; the message is that of the last one."""

    def __init__(self, message: str, *, step: str, attempts: int, kind: str = "") -> None:
        super().__init__(message)
        self.step = step
        self.attempts = attempts
        self.kind = kind  # the name of what the function raised


class ChildFailed(Exception):
    """A run that this one started did not complete; `status` says how it ended, `code` why.

    One that was rejected raises as its approval did: `Rejected`, and its siblings.
    """

    def __init__(self, message: str, *, run: str, workflow: str, status: str, code: str) -> None:
        super().__init__(message)
        self.run = run
        self.workflow = workflow
        self.status = status
        self.code = code


_ENDINGS: Final[Mapping[str, type[ApprovalEnded]]] = {
    kind.outcome: kind for kind in (Rejected, Expired, ChangesRequested, Cancelled)
}


def ended(
    outcome: str, approval: str, *, comment: str | None = None, by: tuple[str, ...] = ()
) -> ApprovalEnded:
    """The exception for `outcome`; an outcome that is not known here is never taken for consent."""
    return _ENDINGS.get(outcome, ApprovalEnded)(approval, comment=comment, by=by)


def _sentence(outcome: str, approval: str, comment: str | None, by: tuple[str, ...]) -> str:
    what = {
        "rejected": "was rejected",
        "expired": "expired before it was decided",
        "changes_requested": "was sent back for changes",
        "cancelled": "was cancelled",
    }.get(outcome, "ended without consent")
    who = f" by {', '.join(by)}" if by else ""
    why = f": {comment}" if comment else "."
    return f"Approval {approval} {what}{who}{why}"
