"""Effects of runs that may or may not have happened: left to the operators, and settled by them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from engine.errors import Conflict
from engine.ids import LeaseToken, RunId, TenantId
from engine.rules.states import RunStatus, WaitingReason
from engine.store import doubts, journal, notices, runs
from engine.store.database import Transaction
from engine.store.journal import Entry, NewEntry, released

Outcome = Literal["happened", "did_not_happen"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """A run, or a branch of it, that its driver leaves to the operators, and the proof of its lease."""

    tenant: TenantId
    run: RunId
    token: LeaseToken
    is_branch: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """What an operator found out, and how. `result` is what the step returns if it happened.

    `request_id` says which effect is meant, where branches of the run left several in doubt.
    """

    outcome: Outcome
    result: object
    by: str
    reason: str
    request_id: str | None = None


def unknown(tx: Transaction, left: Left, entries: Sequence[NewEntry]) -> None:
    """Append `entries`, the last of which says what is unknown, and let the run wait for an operator.

    Where a branch of it does, the others go on.

    Raises:
        LeaseLost: if somebody else drives the run by now, or it has ended.
    """
    changes = None if left.is_branch else released(ready_at=None)
    journal.append(tx, left.run, entries, token=left.token, changes=changes)
    step = entries[-1].name
    told = notices.Notice(
        event="effect.unknown",
        title=f"Nobody knows whether {step} happened",
        text=(
            f"Run {left.run} may not do {step} twice, and waits. Look whether it happened, then say so: "
            f"`signoff runs settle {left.run} --happened --reason …` or `--did-not-happen`."
        ),
        path=f"/runs/{left.run}",
    )
    notices.tell_operators(tx, left.tenant, told)


def settle(tx: Transaction, tenant: TenantId, run: RunId, settlement: Settlement) -> RunStatus:
    """Say how the effect ended that the run waits for; gives what the run is now.

    One that happened is not made again and returns `result`; one that did not is made again at once.
    Of a run that is paused, only when it is resumed.

    Raises:
        NotFound: if there is no such run. Conflict: `not_unknown`, if no effect of it is unknown, or not
            the one that is meant; `several_unknown`, if it does not say which.
        Invalid: `not_canonical`, if no journal can keep the result.
    """
    row = runs.get(tx, tenant, run, lock=True)
    doubt = _meant(run, doubts.open_in(journal.entries(tx, run)), settlement.request_id)
    # A branch goes on when its run does; what a run itself waits for lets it go on.
    is_own = row.reason is WaitingReason.RECONCILE
    journal.wake(tx, run, _entries(doubt, settlement, {} if is_own else {"to": row.status}))
    return runs.get(tx, tenant, run).status


def _meant(run: RunId, unknown: Sequence[Entry], request_id: str | None) -> Entry:
    named = [each for each in unknown if request_id in {None, each.data["request_id"]}]
    if not named:
        which = "" if request_id is None else f" under the request id {request_id}"
        raise Conflict(f"No effect of run {run} is unknown{which}.", code="not_unknown")
    if len(named) > 1:
        told = ", ".join(f"{each.data['request_id']} ({each.name})" for each in named)
        raise Conflict(
            f"Several effects of run {run} are unknown. Say which by its request id: {told}.",
            code="several_unknown",
        )
    return named[0]


def _entries(doubt: Entry, settlement: Settlement, to: Mapping[str, object]) -> list[NewEntry]:
    said: dict[str, object] = {
        **to,
        "outcome": settlement.outcome,
        "by": settlement.by,
        "reason": settlement.reason,
        "request_id": doubt.data["request_id"],
    }
    facts: dict[str, object] = {
        "attempt": doubt.data["attempt"],
        "started_at": doubt.data["started_at"],
    }
    if settlement.outcome == "happened":
        end = {**facts, "result": settlement.result}
        return [_of(doubt, "effect.settled", said), _of(doubt, "step.finished", end)]
    error = {"type": "did_not_happen", "message": f"It did not happen: {settlement.reason}"}
    failed = {**facts, "error": error, "no_effect": True, "is_final": False}
    return [_of(doubt, "effect.settled", said), _of(doubt, "step.failed", failed)]


def _of(doubt: Entry, kind: str, data: Mapping[str, object]) -> NewEntry:
    return NewEntry(kind=kind, name=doubt.name, path=doubt.path, data=data)
