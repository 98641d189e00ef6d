"""What an operator can do about a run on its page: the verbs, the form behind them, and doing them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final, assert_never

from pydantic import BaseModel, Field

from engine.errors import Invalid
from engine.ids import RunId, TenantId
from engine.rules.json_objects import NotExact, read_value
from engine.rules.states import TERMINAL, RunStatus, WaitingReason
from engine.services import effects, halting, rolling_back, runs
from engine.services.effects import Outcome, Settlement
from engine.services.rolling_back import Order
from engine.services.runs import RunPicture
from engine.store.database import Transaction
from engine.store.rollbacks import said

REASON_CHARS_MAX: Final = 500
RESULT_CHARS_MAX: Final = 100_000


class Verb(StrEnum):
    """What an operator can do about a run."""

    RESUME = "resume"
    RELEASE = "release"
    RETRY = "retry"
    SKIP = "skip"
    TAKE_OVER = "take-over"
    ROLLBACK = "rollback"
    HAPPENED = "happened"
    DID_NOT_HAPPEN = "did_not_happen"
    PAUSE = "pause"
    CANCEL = "cancel"
    KILL = "kill"


LABELS: Final[Mapping[Verb, str]] = {
    Verb.ROLLBACK: "Roll back the run",
    Verb.TAKE_OVER: "Take over the run",
    Verb.HAPPENED: "It happened",
    Verb.DID_NOT_HAPPEN: "It did not happen: do it again",
}


class OperatingForm(BaseModel):
    """Why; where a rollback goes back to, of which empty is the last approved checkpoint; what a step
    returns that happened after all, as JSON, of which empty is nothing; and which step, by its request id.
    """

    reason: str = ""
    to: Annotated[str, Field(max_length=200)] = ""
    result: Annotated[str, Field(max_length=RESULT_CHARS_MAX)] = ""
    request_id: Annotated[str, Field(max_length=500)] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """Who does it, why, where a rollback goes back to, what a step returned, as JSON, and which one."""

    by: str
    reason: str
    to: str | None
    result: str | None
    request_id: str | None


def said_by(subject: str, form: OperatingForm) -> Said:
    """What the form says, and who sent it.

    Raises:
        Invalid: `bad_reason`, if there is none, or it is too long.
    """
    why = " ".join(form.reason.replace("\0", " ").split())
    if not 0 < len(why) <= REASON_CHARS_MAX:
        raise Invalid(
            f"Give a reason of up to {REASON_CHARS_MAX} characters; it is kept.", code="bad_reason"
        )
    return Said(
        by=subject,
        reason=why,
        to=form.to.strip() or None,
        result=form.result.strip() or None,
        request_id=form.request_id or None,
    )


def done(tx: Transaction, tenant: TenantId, run: RunId, verb: Verb, said_so: Said) -> str:
    """Do it, and keep the reason in the journal; gives what became of it, in words.

    Raises:
        NotFound, Conflict, Invalid: if it cannot be done.
    """
    by, reason, to = said_so.by, said_so.reason, said_so.to
    match verb:
        case Verb.RETRY:
            runs.retry(tx, tenant, run, by=by, reason=reason)
            text = "It is tried again."
        case Verb.RELEASE:
            runs.release(tx, tenant, run, by=by, reason=reason)
            text = "It goes on."
        case Verb.RESUME:
            runs.resume(tx, tenant, run, by=by, reason=reason)
            text = "It goes on from where it stood."
        case Verb.SKIP:
            left = rolling_back.skip(tx, tenant, run, by=by, reason=reason)
            text = f"{left} is left as it is; undoing goes on."
        case Verb.TAKE_OVER:
            left = rolling_back.take_over(tx, tenant, run, by=by, reason=reason)
            text = f"{left} was undone by hand; undoing goes on."
        case Verb.ROLLBACK:
            order = Order(reason=reason, by=by, to=to)
            text = f"It goes back to {said(rolling_back.begin(tx, tenant, run, order).name)}."
        case Verb.HAPPENED | Verb.DID_NOT_HAPPEN:
            effects.settle(tx, tenant, run, _settlement(said_so, is_there=verb is Verb.HAPPENED))
            text = "It is not done again." if verb is Verb.HAPPENED else "It is done once more."
        case Verb.PAUSE | Verb.CANCEL | Verb.KILL:
            text = _stop(tx, tenant, run, verb, said_so)
        case _:
            assert_never(verb)
    return text


def _settlement(said_so: Said, *, is_there: bool) -> Settlement:
    if said_so.result is not None and not is_there:
        raise Invalid("What did not happen returned nothing: leave that empty.", code="bad_result")
    try:
        result = None if said_so.result is None else read_value(said_so.result)
    except NotExact as error:
        raise Invalid(
            f"What the step returned could not be read: {error}. A text is written in quotes.",
            code="bad_result",
        ) from None
    outcome: Outcome = "happened" if is_there else "did_not_happen"
    by, reason, which = said_so.by, said_so.reason, said_so.request_id
    return Settlement(outcome=outcome, result=result, by=by, reason=reason, request_id=which)


def _stop(tx: Transaction, tenant: TenantId, run: RunId, verb: Verb, said_so: Said) -> str:
    by, reason = said_so.by, said_so.reason
    if verb is Verb.PAUSE:
        halting.pause(tx, tenant, run, by=by, reason=reason)
        return "It is held until somebody resumes it."
    if verb is Verb.KILL:
        return _ended("Killed", halting.kill(tx, tenant, run, by=by, reason=reason))
    return _ended("Cancelled", runs.cancel(tx, tenant, run, by=by, reason=reason))


def _ended(word: str, stays: Sequence[str]) -> str:
    return f"{word}. What was done stays done: {', '.join(stays)}." if stays else f"{word}."


def verbs_for(picture: RunPicture) -> list[Verb]:
    """What an operator can do about the run as it stands."""
    row = picture.row
    # The first is what the Enter key does: never the one that ends something.
    if row.status in {RunStatus.FAILED, RunStatus.CANCELLED, RunStatus.KILLED}:
        return [Verb.ROLLBACK]
    if row.status in TERMINAL:
        return []
    ends = [Verb.CANCEL, Verb.KILL]
    if row.status is not RunStatus.ROLLING_BACK:
        ends.append(Verb.ROLLBACK)
    if row.status is RunStatus.PAUSED:
        return [Verb.RESUME, *ends]
    if picture.unknown:
        return [Verb.HAPPENED, Verb.DID_NOT_HAPPEN, *ends]
    match row.reason:
        case WaitingReason.STUCK:
            return [Verb.RETRY, Verb.SKIP, Verb.TAKE_OVER, *ends]
        case WaitingReason.CHANGED:
            return [Verb.RETRY, *ends]
        case WaitingReason.QUARANTINED:
            return [Verb.RELEASE, *ends]
        case _:
            return [Verb.PAUSE, *ends]
