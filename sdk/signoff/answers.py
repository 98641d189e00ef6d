"""What the server answers, as far as it is understood here; what it adds later is passed over."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from signoff.outcomes import Decision, ended


class Answer(BaseModel):
    """Frozen, and tolerant of whatever newer servers add."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Count(Answer):
    """How many there are, and how many it takes."""

    have: int
    need: int


class Progress(Answer):
    """How far an approval is."""

    approve: Count
    reject: Count


class Vote(Answer):
    """What one person said; `counted` is false for late and superseded votes."""

    person: str
    choice: str
    at: datetime
    comment: str | None = None
    changes: Mapping[str, object] | None = None
    form: Mapping[str, object] | None = None
    channel: str | None = None
    counted: bool = True


class Ending(Answer):
    """What the votes, a rung or a policy amounted to, and whether a run has used it."""

    outcome: str
    at: datetime
    by: tuple[str, ...] = ()
    changes: Mapping[str, object] | None = None
    form: Mapping[str, object] | None = None
    comment: str | None = None
    rule: str | None = None
    consumed_at: datetime | None = None


class Outcome(Answer):
    """What some approvers agree to, and how far it has come."""

    digest: str
    changes: Mapping[str, object]
    by: tuple[str, ...]
    have: int
    need: int


class Effective(Answer):
    """What takes effect: what was asked, with what was decided."""

    digest: str
    details: Mapping[str, object]


class Approval(Answer):
    """One approval as it stood when it was read."""

    id: str
    run: str
    status: str
    version: int
    digest: str
    action: str | None = None
    title: str | None = None
    kind: str = "binary"
    fields: tuple[str, ...] | None = None
    form: Mapping[str, object] | None = None
    details: Mapping[str, object] = Field(default_factory=dict)
    proposed: Mapping[str, object] | None = None
    effective: Effective | None = None
    outcomes: tuple[Outcome, ...] = ()
    progress: Progress | None = None
    votes: tuple[Vote, ...] = ()
    decision: Ending | None = None
    opened_at: datetime | None = None
    expires_at: datetime | None = None
    status_url: str | None = None
    page_url: str | None = None
    callback_secret: str | None = Field(default=None, repr=False)
    """Given once, to whoever asked with a `callback_url`; keep it."""

    @property
    def is_open(self) -> bool:
        """Whether people can still vote."""
        return self.status == "open"

    def decided(self) -> Decision:
        """The decision, if it allows to go on.

        An ending that this version does not know is never taken for consent.

        Raises:
            Rejected, Expired, ChangesRequested, Cancelled: if it ended like that.
            ApprovalEnded: if it ended in a way that is not known here.
            RuntimeError: if it is still open.
        """
        if self.is_open:
            raise RuntimeError(f"Approval {self.id} is still open. Wait for it first.")
        match self.status, self.decision:
            case "approved", Ending(outcome="approved") as ending:
                return self._decision("approved", ending)
            case "expired", Ending(outcome="continued") as ending:
                return self._decision("continued", ending)
            case status, None:
                raise ended(status, self.id)
            case status, ending:
                raise ended(status, self.id, comment=ending.comment, by=ending.by)

    def _decision(self, outcome: Literal["approved", "continued"], ending: Ending) -> Decision:
        return Decision(
            approval=self.id,
            outcome=outcome,
            digest=self.digest,
            by=ending.by,
            at=ending.at,
            changes=MappingProxyType(dict(ending.changes or {})),
            form=MappingProxyType(dict(ending.form or {})),
            details=MappingProxyType(
                dict(self.effective.details if self.effective else self.details)
            ),
            comment=ending.comment,
        )


class Waiting(Answer):
    """Why a run waits, and on which approval if that is why."""

    reason: str
    approval: str | None = None


class StepLine(Answer):
    """One step of a run."""

    position: int
    name: str | None = None
    kind: str
    status: str
    attempts: int = 1


class Undone(Answer):
    """A step that a rollback would undo: by which function, of which kind, and whom it asks before."""

    step: str
    undo: str = ""
    kind: str = "step"
    needs: object = None


class Staying(Answer):
    """A step that a rollback would leave as it is, and why."""

    step: str
    why: str


class RollbackPlan(Answer):
    """What a rollback would do: back to where, what it undoes, newest first, and what stays."""

    to: str
    position: int
    undoes: tuple[Undone, ...] = ()
    stays: tuple[Staying, ...] = ()


class RollbackReport(Answer):
    """What became of a rollback. `success` is None until it has ended; `left` is not undone."""

    to: str
    mode: str
    reason: str
    by: str | None = None
    success: bool | None = None
    completion: float = 0.0
    left: tuple[str, ...] = ()
    cleanup: tuple[str, ...] = ()


class RunInfo(Answer):
    """One run as it stood when it was read; right after its start, little more than its id."""

    id: str
    status: str
    workflow: str | None = None
    version: str | None = None
    waiting_for: Waiting | None = None
    input: Mapping[str, object] = Field(default_factory=dict)
    result: object = None
    error: object = None
    steps: tuple[StepLine, ...] = ()
    notify_secret: str | None = None
    sandbox: bool = False
    """Whether none of its steps is done."""
    rollback: RollbackReport | None = None
    """Its last rollback, while it is under way and after it."""

    @property
    def has_ended(self) -> bool:
        """Whether its state is final."""
        return self.status in {"completed", "failed", "rolled_back", "cancelled", "killed"}


class Problem(Answer):
    """A refusal as `application/problem+json`."""

    code: str = ""
    detail: str = ""
    title: str = ""
