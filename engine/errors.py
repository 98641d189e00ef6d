"""Everything the engine raises on purpose.

EngineError
├── NotFound               the thing you named does not exist
├── Refused                the rules said no; the same call can never succeed
│   ├── NotEligible
│   ├── NotAllowed
│   ├── BudgetExceeded
│   └── SignatureInvalid
├── Invalid                what was sent cannot be understood or satisfied; mend it and send again
│   └── TenantUnclear
├── Conflict               someone was faster, or the thing has moved on; reload and decide again
│   ├── AlreadyDecided
│   ├── Superseded
│   ├── TooLate
│   ├── IdempotencyConflict
│   ├── RequestIdConflict
│   ├── KillSwitchTriggered
│   ├── RunHeld
│   ├── TooManyOpen
│   └── LeaseLost
├── Unavailable            not now; nothing was lost, the same call may succeed later
│   ├── NotRecorded
│   ├── FileOwned
│   └── EgressFailed
└── Fault                  code or world broke its promise; a person must look
    ├── WorkflowChanged
    ├── DigestMismatch
    ├── ChainBroken
    └── StepFailed
"""

from collections.abc import Mapping


class EngineError(Exception):
    """The root: every deliberate error has a stable `code` and a sentence that says what to do next."""

    code: str = "error"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        if code is not None:
            self.code = code


class NotFound(EngineError):
    """The thing you named does not exist here, or you may not know that it does."""

    code = "not_found"


class Refused(EngineError):
    """The rules said no. The same call by the same person can never succeed."""

    code = "refused"


class NotEligible(Refused):
    """This person may not vote on this approval."""

    code = "not_eligible"


class NotAllowed(Refused):
    """The caller is not signed in, or its key or role does not cover this."""

    code = "not_allowed"


class BudgetExceeded(Refused):
    """A step would spend more than a budget has left, and did not begin.

    `facts` are what is told of it: scope, period, unit, limit, spent, reserved and asked, in words
    that a program can read too.
    """

    code = "budget_exceeded"

    def __init__(self, message: str, *, facts: Mapping[str, object]) -> None:
        super().__init__(message)
        self.facts = facts

    @property
    def then(self) -> str:
        """What the budget says becomes of the run: fail, wait or rollback."""
        return str(self.facts.get("then", "fail"))

    def to_json(self) -> dict[str, object]:
        """The refusal as a run's error and as journaled."""
        return {"code": self.code, "message": str(self), **self.facts}


class SignatureInvalid(Refused):
    """A signature, token or header is wrong; which part is never said."""

    code = "signature_invalid"


class Invalid(EngineError):
    """What was sent cannot be understood or can never be satisfied."""

    code = "invalid"


class TenantUnclear(Invalid):
    """Nobody can tell which organisation is meant; no default ever stands in for it."""

    code = "tenant_unclear"


class Conflict(EngineError):
    """Someone was faster, or the thing has moved on. Reload and decide again."""

    code = "conflict"


class AlreadyDecided(Conflict):
    """The approval ended before this call."""

    code = "already_decided"


class Superseded(Conflict):
    """The request was edited: what the caller saw is no longer what would be approved."""

    code = "superseded"


class TooLate(Conflict):
    """The deadline passed before this call."""

    code = "expired"


class IdempotencyConflict(Conflict):
    """The same idempotency key came with a different request."""

    code = "idempotency_conflict"


class RequestIdConflict(Conflict):
    """The same request id came with another action or payload: that is another effect."""

    code = "request_id_conflict"


class KillSwitchTriggered(Conflict):
    """A kill switch is engaged above this: nothing of it begins before it is released."""

    code = "kill_switch"

    def __init__(self, message: str, *, scope: str) -> None:
        super().__init__(message)
        self.scope = scope


class RunHeld(Conflict):
    """The run is paused: what it did is written down, and nothing further begins."""

    code = "run_held"


class TooManyOpen(Conflict):
    """Whoever asks has as many approvals open as one requester may; nothing of this one was kept."""

    code = "too_many_open"


class LeaseLost(Conflict):
    """Another driver holds this run, or it ended; the loser's writes change nothing."""

    code = "lease_lost"


class Unavailable(EngineError):
    """Not now. Nothing was lost; the same call may succeed later."""

    code = "unavailable"


class NotRecorded(Unavailable):
    """The store did not confirm in time. Pressing again counts once."""

    code = "not_recorded"


class FileOwned(Unavailable):
    """Another process owns this SQLite file."""

    code = "file_owned"


class EgressFailed(Unavailable):
    """An outgoing request did not get an answer; `ambiguous` says it may have been received."""

    code = "egress_failed"

    def __init__(self, message: str, *, ambiguous: bool) -> None:
        super().__init__(message)
        self.ambiguous = ambiguous


class Fault(EngineError):
    """Code or world broke its promise. A person must look."""

    code = "fault"


class WorkflowChanged(Fault):
    """The workflow's code asks for something else than its journal remembers."""

    code = "workflow_changed"

    def __init__(self, run: str, path: str, *, recorded: str, requested: str) -> None:
        super().__init__(
            f"Run {run} recorded {recorded} at {path}, but its code now asks for {requested}. "
            "Nothing was lost: restore the code it began with, then `signoff runs retry`."
        )
        self.run = run
        self.path = path
        self.recorded = recorded
        self.requested = requested


class DigestMismatch(Fault):
    """What is about to happen is not what was approved."""

    code = "digest_mismatch"


class ChainBroken(Fault):
    """A journal's hashes do not follow from its entries."""

    code = "chain_broken"


class StepFailed(Fault):
    """A step failed for good; its last error is the message."""

    code = "step_failed"
