"""Leases in the simulated store: who drives which run, and how often that came to nothing."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from bot.chaos.simulation import lines
from bot.chaos.simulation.memory import Memory
from bot.chaos.simulation.rows import RunRow
from engine.rules.states import RunStatus, WaitingReason
from engine.rules.suspicion import CRASHES_MAX
from engine.store.new_entry import Entry, NewEntry

LEASE: Final = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """The right to drive a run, its proof, and its journal as it was then."""

    run: str
    token: str
    entries: tuple[Entry, ...]


def claim(memory: Memory, worker: str) -> Held | None:
    """Lease the ready run that waits longest, if there is one. One that was lost too often is set aside."""
    ready = [row for row in memory.runs if _is_ready(memory, row)]
    if not ready:
        return None
    row = min(ready, key=lambda each: (each.ready_at, each.id))
    token = memory.new("lease")
    tries = row.tries + 1 if memory.laws.counts_tries_before else row.tries
    until = memory.now + LEASE
    memory.change_run(row.id, token=token, holder=worker, lease_until=until, tries=tries)
    if tries > CRASHES_MAX:
        aside = NewEntry(kind="run.quarantined", data={"crashes": CRASHES_MAX})
        changes = {**lines.RELEASED, "ready_at": None}
        lines.append(memory, row.id, [aside], token=token, changes=changes)
        return None
    if (entry := _taken_up(memory, row)) is not None:
        lines.append(memory, row.id, [entry], token=token)
    return Held(run=row.id, token=token, entries=memory.journals[row.id])


def renew(memory: Memory, held: Held) -> bool:
    """Extend the lease; says whether it is still this holder's."""
    row = memory.runs[held.run]
    if memory.laws.proves_leases and row.token != held.token:
        return False
    memory.change_run(held.run, lease_until=memory.now + LEASE)
    return True


def _is_ready(memory: Memory, row: RunRow) -> bool:
    is_free = row.lease_until is None or row.lease_until <= memory.now
    return row.ready_at is not None and row.ready_at <= memory.now and is_free


def _taken_up(memory: Memory, row: RunRow) -> NewEntry | None:
    if row.shape.status is RunStatus.CREATED:
        return NewEntry(kind="run.started")
    if row.shape.reason is not WaitingReason.TIMER:
        return None
    waits = next(e for e in reversed(memory.journals[row.id]) if e.kind in _WAITS)
    return NewEntry(kind=_WAITS[waits.kind], name=waits.name, path=waits.path, data=waits.data)


_WAITS: Final = {"sleep.started": "sleep.ended", "step.retry_scheduled": "step.retried"}
