"""A journal as people read it: steps with their attempts, the rollback, and whether the chain holds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from engine.clock import iso
from engine.rules.changes import apply
from engine.rules.costs import TOKENS, Amounts, currency_of, parse_amounts, say, total
from engine.rules.states import ImpossibleChange, RunShape
from engine.store.journal import Entry, hash_of
from engine.store.runs import RunRow


@dataclass(frozen=True, slots=True, kw_only=True)
class StepPicture:
    """One thing the code asked for. `status` is begun, waiting, finished, failed, skipped or unknown.

    An approval (`kind` is approval) goes by its title as last asked, waiting and then with what
    became of it: approved, rejected, expired, cancelled or changes_requested. What ends when time
    is over is expired, whatever its last rung then does with the run.
    """

    position: int
    name: str
    kind: str
    status: str
    attempts: int
    started_at: datetime
    ended_at: datetime | None
    error: str | None = None
    request_id: str | None = None  # of what happens outside, where it has one of its own
    cost: Amounts = field(default_factory=dict[str, int])

    def to_json(self) -> dict[str, object]:
        """The step as the API shows it; its cost is that of all its attempts."""
        return {
            "position": self.position,
            "name": self.name,
            "kind": self.kind,
            "status": self.status,
            "attempts": self.attempts,
            "started_at": iso(self.started_at),
            "ended_at": None if self.ended_at is None else iso(self.ended_at),
            **money_and_tokens(self.cost),
            "error": self.error,
            "request_id": self.request_id,
        }


KINDS: Mapping[str, tuple[str, str]] = {
    "step.begun": ("step", "begun"),
    "step.finished": ("step", "finished"),
    "step.failed": ("step", "failed"),
    "step.retry_scheduled": ("step", "waiting"),
    "step.retried": ("step", "begun"),
    "effect.unknown": ("step", "unknown"),
    "approval.opened": ("approval", "waiting"),
    "approval.edited": ("approval", "waiting"),
    "approval.decided": ("approval", "decided"),  # as what, the entry says
    "sleep.started": ("sleep", "waiting"),
    "sleep.ended": ("sleep", "finished"),
    "budget.exceeded": ("step", "failed"),  # it did not begin
    "budget.asked": ("step", "waiting"),
    "budget.settled": ("step", "failed"),  # the run was ended in it
    "child.started": ("child", "waiting"),
    "child.ended": ("child", "ended"),
    "child.undoing": ("compensation", "begun"),
    "child.undone": ("compensation", "ended"),
    "checkpoint.created": ("checkpoint", "finished"),
    "compensation.begun": ("compensation", "begun"),
    "compensation.finished": ("compensation", "finished"),
    "compensation.failed": ("compensation", "failed"),
    "compensation.skipped": ("compensation", "skipped"),
    "compensation.taken_over": ("compensation", "finished"),
}
UNENDED = frozenset({"begun", "waiting", "unknown"})
_CHILD_BECAME: Mapping[str, str] = {"completed": "finished", "cancelled": "cancelled"}
_TIME_IS_OVER: Mapping[str, str] = {"continued": "expired", "rollback": "expired"}


def pictures(entries: Sequence[Entry]) -> list[StepPicture]:
    """What the run did, in the order in which it began."""
    found: dict[tuple[str, str], StepPicture] = {}
    for entry in entries:
        if entry.kind not in KINDS or entry.path is None:
            continue
        kind, status = _standing(entry)
        before = found.get((kind, entry.path))
        attempt = entry.data.get("attempt")
        found[kind, entry.path] = StepPicture(
            position=before.position if before else entry.position,
            name=_title(entry) or (before.name if before else entry.name or kind),
            kind=kind,
            status=status,
            attempts=attempt if isinstance(attempt, int) else (before.attempts if before else 1),
            started_at=before.started_at if before else _began(entry),
            ended_at=None if status in UNENDED else entry.at,
            error=_error(entry),
            request_id=entry.data.get("request_id") or (before.request_id if before else None),
            cost=total(
                [before.cost if before else {}, parse_amounts(entry.data.get("cost") or {})]
            ),
        )
    return list(found.values())


def money_and_tokens(amounts: Amounts) -> dict[str, object]:
    """What something cost, as the API shows it; None where nothing was said of it."""
    currency = currency_of(amounts)
    return {
        "cost": None if currency is None else say(currency, amounts[currency]),
        "tokens": amounts.get(TOKENS),
    }


def differences(row: RunRow, entries: Sequence[Entry]) -> list[str]:
    """Sentences that say where the journal's chain or the run's stored state is not what it should be."""
    wrong: list[str] = []
    shape: RunShape | None = None
    previous = ""
    for position, entry in enumerate(entries):
        if entry.position != position:
            wrong.append(f"Position {position} is missing.")
            break
        if entry.previous != previous or hash_of(entry) != entry.hash:
            wrong.append(f"The entry at position {position} was changed.")
        previous = entry.hash
        try:
            shape = apply(shape, entry.kind, entry.data)
        except ImpossibleChange as error:
            wrong.append(f"Position {position}: {error}")
    if shape is not None and (shape.status, shape.reason) != (row.status, row.reason):
        wrong.append(f"The journal says {shape.status}; the run is stored as {row.status}.")
    return wrong


def _standing(entry: Entry) -> tuple[str, str]:
    kind, status = KINDS[entry.kind]
    if status == "ended":
        became = str(entry.data["status"])
        if kind == "compensation":
            return kind, "finished" if became == "rolled_back" else "skipped"
        return kind, _CHILD_BECAME.get(became, "failed")
    if status != "decided":
        return kind, status
    outcome: str = entry.data["outcome"]
    return kind, _TIME_IS_OVER.get(outcome, outcome)


def _title(entry: Entry) -> str | None:
    """What an approval is called in words; None for everything else."""
    content = (
        entry.data.get("content") if entry.kind in {"approval.opened", "approval.edited"} else None
    )
    return content["title"] if content else None


def _began(entry: Entry) -> datetime:
    started = entry.data.get("started_at")
    return datetime.fromisoformat(started) if isinstance(started, str) else entry.at


def _error(entry: Entry) -> str | None:
    error = entry.data.get("error")
    return error["message"] if error else None
