"""Questions whether a run may spend more, which another run asks for it."""

from collections.abc import Iterable

from engine.rules.states import ApprovalStatus, WaitingReason
from engine.store import approvals, journal
from engine.store.approvals import ApprovalRow
from engine.store.database import Transaction
from engine.store.journal import Entry
from engine.store.runs import RunRow

_MAY_ASK = frozenset({WaitingReason.BUDGET, WaitingReason.BRANCHES})


def unanswered(entries: Iterable[Entry]) -> dict[str, Entry]:
    """What is asked and was not answered yet, by the run that asks."""
    found: dict[str, Entry] = {}
    for entry in entries:
        if entry.kind == "budget.asked":
            found[str(entry.data["asked_in"])] = entry
        elif entry.kind in {"budget.raised", "budget.kept"}:
            found.pop(str(entry.data["asked_in"]), None)
    return found


def open_ones(tx: Transaction, run: RunRow) -> list[ApprovalRow]:
    """The approvals that would let the run spend more and are still open, locked."""
    if run.reason not in _MAY_ASK:
        return []
    asked = unanswered(journal.entries(tx, run.id)).values()
    ids = sorted(str(entry.data["approval"]) for entry in asked)
    rows = [approvals.get(tx, run.tenant, id, lock=True) for id in ids]
    return [row for row in rows if row.status is ApprovalStatus.OPEN]
