"""Runs that are held: none of their code runs before an operator lets it; who is asked may still answer."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import select

from engine.clock import from_iso, iso
from engine.errors import Conflict
from engine.ids import RunId
from engine.rules.states import TERMINAL, RunStatus, WaitingReason
from engine.store import journal
from engine.store.database import Transaction
from engine.store.journal import Entry, NewEntry, RunChanges
from engine.store.runs import RunRow
from engine.store.tables import runs

# These wait for an operator's verb already.
ASKED_FOR: Final = frozenset(
    {
        WaitingReason.STUCK,
        WaitingReason.CHANGED,
        WaitingReason.RECONCILE,
        WaitingReason.QUARANTINED,
    }
)
_WAITS: Final = frozenset({"sleep.started", "step.retry_scheduled"})
_PAGE: Final = 1_000


def hold_all(
    tx: Transaction, *, but: Collection[str], reason: str, facts: Mapping[str, object]
) -> int:
    """Hold every run that could go on by itself or by a vote, and gives how many.

    The workflows named in `but` are left alone. Nobody may drive runs meanwhile.
    """
    held = 0
    for run, status in _live(tx, but):
        data = {"by": "local", "reason": reason, "from": status, **facts}
        entry = NewEntry(kind="run.paused", data=data)
        journal.append(tx, run, [entry], changes=RunChanges(ready_at=None))
        held += 1
    return held


def hold(tx: Transaction, row: RunRow, *, by: str, reason: str) -> None:
    """Hold the locked run `row`, whatever it is at but for what waits for an operator already.

    Raises:
        Conflict: `run_ended`, `already_paused`, `asks_for_you`.
    """
    if row.ended_at is not None:
        raise Conflict(f"Run {row.id} has ended: it is {row.status}.", code="run_ended")
    if is_held(row):
        raise Conflict(f"Run {row.id} is paused already.", code="already_paused")
    if row.reason in ASKED_FOR:
        raise Conflict(
            f"Run {row.id} is {row.reason} and goes on only when an operator lets it.",
            code="asks_for_you",
        )
    data = {"by": by, "reason": reason, "from": row.status}
    changes = RunChanges(ready_at=None)
    journal.append(tx, row.id, [NewEntry(kind="run.paused", data=data)], changes=changes)


def is_held(row: RunRow) -> bool:
    """Whether the run is paused."""
    return row.status is RunStatus.PAUSED


def halted_from(tx: Transaction, run: RunId) -> RunStatus:
    """What a run was when the kill switch halted it."""
    halted = _last(journal.entries(tx, run), {"run.halted"})
    return RunStatus(str(halted.data["from"])) if halted is not None else RunStatus.RUNNING


def resume(tx: Transaction, row: RunRow, *, by: str, reason: str) -> RunStatus:
    """Let the locked run `row` go on from where it stood, or wait on for what it waited for.

    Raises:
        Conflict: `not_paused`, if nobody holds it.
    """
    if row.status is not RunStatus.PAUSED:
        raise Conflict(f"Run {row.id} is {row.status}; nobody holds it.", code="not_paused")
    entries = journal.entries(tx, row.id)
    # Freed while it was paused, it goes on as what it was before it was halted.
    latest = _last(entries, {"run.paused", "run.freed"})
    was = None if latest is None else latest.data.get("from", latest.data.get("to"))
    to = RunStatus.ROLLING_BACK if was == RunStatus.ROLLING_BACK else RunStatus.RUNNING
    entry = NewEntry(kind="run.resumed", data={"by": by, "reason": reason, "to": to})
    changes = RunChanges(ready_at=_ready_at(tx, row, entries))
    return journal.append(tx, row.id, [entry], changes=changes).status


def held(row: RunRow, entries: Sequence[Entry]) -> dict[str, object] | None:
    """Who holds the run, since when and why; None where nobody does."""
    paused = _last(entries, {"run.paused"})
    if row.status is not RunStatus.PAUSED or paused is None:
        return None
    data = paused.data
    return {"by": data.get("by"), "reason": data.get("reason"), "at": iso(paused.at)}


def _live(tx: Transaction, but: Collection[str]) -> Iterator[tuple[RunId, RunStatus]]:
    ended = [*TERMINAL, RunStatus.PAUSED]
    found = (
        select(runs.c.id, runs.c.status, runs.c.reason)
        .where(runs.c.status.not_in(ended), runs.c.workflow.not_in(but))
        .order_by(runs.c.id)
        .limit(_PAGE)
    )
    after = ""
    while page := tx.connection.execute(found.where(runs.c.id > after)).all():
        yield from (
            (RunId(row.id), RunStatus(row.status))
            for row in page
            if row.reason not in ASKED_FOR
            and (row.status, row.reason) != (RunStatus.ROLLING_BACK, WaitingReason.CHILD)
        )
        after = page[-1].id


def _ready_at(tx: Transaction, row: RunRow, entries: Sequence[Entry]) -> datetime | None:
    if row.reason in {None, WaitingReason.BRANCHES}:
        return tx.now
    waits = _last(entries, _WAITS)
    if row.reason is not WaitingReason.TIMER or waits is None:
        return None  # whoever ends what it waits for wakes it
    return from_iso(str(waits.data["until"]))


def _last(entries: Sequence[Entry], kinds: Collection[str]) -> Entry | None:
    return next((entry for entry in reversed(entries) if entry.kind in kinds), None)
