"""What becomes of a run whose code ended without a result: it ends, goes back, or goes back and on again."""

from engine.rules.budget import Then
from engine.runtime.context import RunContext
from engine.runtime.signals import RollbackOrdered
from engine.store import points
from engine.store.going_back import Mode, Order
from engine.store.runs import Claim
from signoff.manners import Manner
from signoff.outcomes import ApprovalEnded, BudgetExceeded, StepFailed


def after_rejection(
    ending: RollbackOrdered | ApprovalEnded,
    claim: Claim,
    context: RunContext,
    manner: Manner,
    reason: str,
) -> Order | None:
    """Where the run goes back to after people said no; None if it fails instead.

    One that went back and on again as often as its workflow allows ends rolled back.
    """
    if isinstance(ending, ApprovalEnded) and context.on_reject == "fail":
        return None
    resumes = isinstance(ending, ApprovalEnded) and context.on_reject == "resume"
    return Order(
        reason=reason,
        to=context.rollback_to,
        mode=_mode(claim, manner, resumes=resumes),
        approval=ending.approval,
    )


def after_failure(claim: Claim, manner: Manner, error: BaseException) -> Order | None:
    """Where the run goes back to after its code failed with `error`; None if it just fails.

    A step that failed counts as what it failed with. One that went back and on again as often as its
    workflow allows fails as it is.
    """
    if isinstance(error, BudgetExceeded) and error.facts.get("then") == Then.ROLLBACK:
        return Order(reason=str(error), error=error.to_json())
    code = getattr(error, "code", None) or type(error).__name__
    kind = (error.kind or code) if isinstance(error, StepFailed) else code
    message = str(error) or code
    known = {"code": code, "message": message}
    match manner.after(kind):
        case "rollback":
            return Order(reason=message, error=known)
        case "resume" if _mode(claim, manner, resumes=True) == "resume":
            return Order(reason=message, to=points.LATEST, mode="resume", error=known)
        case _:
            return None


def _mode(claim: Claim, manner: Manner, *, resumes: bool) -> Mode:
    times = sum(each.is_automatic for each in points.resumptions(claim.entries))
    return "resume" if resumes and times < manner.max_rollbacks else "stop"
