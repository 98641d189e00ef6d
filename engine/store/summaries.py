"""What a run comes to: its steps, what they cost, how long it took, what its journal holds, and why it ended."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from engine.rules import ballots
from engine.store import segments, steps
from engine.store.database import Transaction
from engine.store.journal import Entry
from engine.store.runs import RunRow
from engine.store.spent import spent_by
from engine.store.steps import StepPicture

# A run that was paused before anybody took it up begins when it is resumed.
BEGINS: Final = frozenset({"run.started", "approval.opened", "run.resumed"})


def summary(
    tx: Transaction, row: RunRow, did: Sequence[StepPicture], entries: Sequence[Entry]
) -> dict[str, object]:
    """The run in figures, read from its journal; where that was pruned, from what stands for it."""
    spent = spent_by(entries)
    ended = row.ended_at or row.updated_at
    kinds = Counter(each.kind for each in entries) or _pruned(tx, row)
    finished = sum(step.kind == "step" and step.status == "finished" for step in did)
    return {
        "steps": finished if entries else kinds["step.finished"],
        **steps.money_and_tokens(spent.total),
        "sources": spent.to_json(),
        "saved": steps.money_and_tokens(spent.saved) if spent.saved else None,
        "duration_ms": round((ended - row.created_at).total_seconds() * 1000),
        "ended_because": None if row.ended_at is None else _because(row),
        "entries": {"count": kinds.total(), "kinds": dict(kinds)},
    }


def began_at(entries: Sequence[Entry]) -> datetime | None:
    """When the run was first taken up; None while it still waits for that."""
    return next((each.at for each in entries if each.kind in BEGINS), None)


def _pruned(tx: Transaction, row: RunRow) -> Counter[str]:
    found: Counter[str] = Counter()
    for segment in segments.of_chain(tx, row.tenant, row.id):
        found.update(segment.statement.get("kinds", {}))
    return found


def _because(row: RunRow) -> str:
    if row.error is not None:
        return str(row.error.get("message"))
    return (
        ballots.moment(row.ended_at) if row.ended_at and row.status != "completed" else "finished"
    )
