"""Effects of runs that may or may not have happened: left to the operators, and settled by them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from engine.errors import Conflict
from engine.ids import LeaseToken, RunId, TenantId
from engine.rules.states import RunStatus, WaitingReason
from engine.store import journal, notices, runs
from engine.store.database import Transaction
from engine.store.journal import Entry, NewEntry, RunChanges, released

Outcome = Literal["happened", "did_not_happen"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """A run that its driver leaves to the operators, and the proof that it was its driver."""

    tenant: TenantId
    run: RunId
    token: LeaseToken


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """What an operator found out, and how. `result` is what the step returns if it happened."""

    outcome: Outcome
    result: object
    by: str
    reason: str


def unknown(tx: Transaction, left: Left, entries: Sequence[NewEntry]) -> None:
    """Append `entries`, the last of which says what is unknown, and let the run wait for an operator.

    Raises:
        LeaseLost: if somebody else drives the run by now, or it has ended.
    """
    journal.append(tx, left.run, entries, token=left.token, changes=released(ready_at=None))
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
        NotFound: if there is no such run. Conflict: `not_unknown`, if no effect of it is unknown.
        Invalid: `not_canonical`, if no journal can keep the result.
    """
    row = runs.get(tx, tenant, run, lock=True)
    if row.reason is not WaitingReason.RECONCILE:
        raise Conflict(f"No effect of run {run} is unknown.", code="not_unknown")
    doubt = next(e for e in reversed(journal.entries(tx, run)) if e.kind == "effect.unknown")
    is_paused = row.status is RunStatus.PAUSED
    changes = RunChanges(ready_at=None if is_paused else tx.now)
    shape = journal.append(tx, run, _entries(doubt, settlement), changes=changes)
    return shape.status


def _entries(doubt: Entry, settlement: Settlement) -> list[NewEntry]:
    said: dict[str, object] = {
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
