"""The append-only memory of a run: entries, their hash chain, and the run's state that follows from them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypedDict

from engine.errors import LeaseLost, NotFound, RunHeld
from engine.ids import LeaseToken, RunId, TenantId
from engine.rules.changes import OUTCOMES, apply, told_of_the_end
from engine.rules.states import RunShape, RunStatus, WaitingReason
from engine.rules.suspicion import is_progress
from engine.store import followers, spending
from engine.store.database import Transaction
from engine.store.journaled import entries, entries_of
from engine.store.locked_runs import locked, locked_each, spender_of
from engine.store.new_entry import Entry, NewEntry
from engine.store.spelling import line_of
from engine.store.statements import add, put, put_each
from engine.store.tables import journal, runs

__all__ = [
    "Entry",
    "NewEntry",
    "RunChanges",
    "add_line",
    "append",
    "append_and_give",
    "entries",
    "entries_of",
    "first_line",
    "hash_of",
    "released",
]


class RunChanges(TypedDict, total=False):
    """Columns of the run that an append sets together with its entries."""

    ready_at: datetime | None
    awaits: str | None
    result: str | None
    error: str | None
    lease_token: str | None
    lease_holder: str | None
    lease_expires_at: datetime | None
    tries: int
    workflow_version: str
    ended_at: datetime | None


def released(*, ready_at: datetime | None, awaits: str | None = None) -> RunChanges:
    """The lease is given back, and the run is taken up again at `ready_at`, if ever by itself."""
    return {
        "ready_at": ready_at,
        "awaits": awaits,
        "lease_token": None,
        "lease_holder": None,
        "lease_expires_at": None,
        "tries": 0,
    }


def append(
    tx: Transaction,
    run: RunId,
    entries: Sequence[NewEntry],
    *,
    token: LeaseToken | None = None,
    changes: RunChanges | None = None,
) -> RunShape:
    """Add `entries` to the run's journal and set the state that they lead to, in one go.

    With a `token` the caller must still hold the run's lease, and what shows that it got somewhere
    clears the run of earlier crashes; without one it is a signal, which anybody may append. An ended
    run takes no entry that would change its state, and a paused one is never ready to be taken up.

    Raises:
        LeaseLost: if `token` is no longer the run's.
        RunHeld: if somebody paused the run: its driver may still say what came of what it did.
        NotFound: if there is no such run.
        ImpossibleChange: if the state does not allow an entry.
    """
    return _appended(tx, run, entries, token, changes).shape


def wake(tx: Transaction, run: RunId, entries: Sequence[NewEntry]) -> None:
    """Add `entries`, which end what the run waits for; it is taken up if nothing else keeps it."""
    shape = append(tx, run, entries, changes=RunChanges(ready_at=tx.now, awaits=None))
    if not shape.goes_on:
        put(tx, runs, {"id": run}, {"ready_at": None})  # until an operator lets it go on


def append_and_give(
    tx: Transaction,
    run: RunId,
    entries: Sequence[NewEntry],
    *,
    token: LeaseToken | None = None,
    changes: RunChanges | None = None,
) -> tuple[RunShape, list[Entry]]:
    """As `append`; gives the entries too, as they are stored now."""
    made = _appended(tx, run, entries, token, changes)
    return made.shape, _all_stored(made)


def _appended(
    tx: Transaction,
    run: RunId,
    entries: Sequence[NewEntry],
    token: LeaseToken | None,
    changes: RunChanges | None,
) -> "_Made":
    spends = spending.are_about_money(entries)
    row = locked(tx, run, with_budgets=spends)
    if token is not None and row.lease_token != token:
        raise LeaseLost(f"Run {run} is no longer driven from here.")
    if token is not None and row.status == RunStatus.PAUSED:
        _demand_outcomes(run, entries)
    made = _made(tx, run, row, entries, spends=spends)
    moved = made.moved
    if token is not None and any(is_progress(entry.kind) for entry in entries):
        moved["tries"] = 1  # this driving is not over yet, and may still end in a crash
    moved.update(changes or {})
    _settle(tx, made)
    if made.lines:
        add(tx, journal, made.lines)
    put(tx, runs, {"id": run}, moved)
    _tell(tx, run, row, made)
    return made


def wake_each(tx: Transaction, said: Mapping[RunId, Sequence[NewEntry]]) -> None:
    """As `wake` for each of these runs of one tenant."""
    if len(said) > 1:
        append_each(tx, said, wakes=True)
        return
    for run, new in said.items():
        wake(tx, run, new)


def append_each(
    tx: Transaction,
    said: Mapping[RunId, Sequence[NewEntry]],
    *,
    wakes: bool = False,
    drives: bool = False,
) -> dict[RunId, list[Entry]]:
    """As `append` to each of these runs of one tenant, or as `wake` where it `wakes` them.

    Where the caller `drives` them it has just leased them in the same deed. Gives the entries.

    Raises:
        RunHeld: as `append`, for who drives. Nothing was written then.
        NotFound, ImpossibleChange: as `append`, if one of them cannot take its entries.
    """
    held = {RunId(row.id): row for row in locked_each(tx, list(said))}
    if held.keys() != said.keys():
        raise NotFound(f"There is no run {min(said.keys() - held.keys())}.")
    for run, new in said.items():
        if drives and held[run].status == RunStatus.PAUSED:
            _demand_outcomes(run, new)
    made = {
        run: _made(tx, run, held[run], entries, spends=spending.are_about_money(entries))
        for run, entries in said.items()
    }
    for each in made.values():
        if wakes:
            each.moved.update(ready_at=tx.now if each.shape.goes_on else None, awaits=None)
        if drives and any(is_progress(entry.kind) for entry in each.entries):
            each.moved["tries"] = 1
        _settle(tx, each)
    add(tx, journal, [line for each in made.values() for line in each.lines])
    put_each(tx, runs, [({"id": run}, each.moved) for run, each in made.items()])
    for run, each in made.items():
        _tell(tx, run, held[run], each)
    return {run: _all_stored(each) for run, each in made.items()}


@dataclass(frozen=True, slots=True)
class _Made:
    """What an append amounts to, before any of it is written."""

    shape: RunShape
    entries: Sequence[NewEntry]
    lines: list[dict[str, object]]
    moved: dict[str, object]


def _made(
    tx: Transaction, run: RunId, row: Any, entries: Sequence[NewEntry], *, spends: bool
) -> _Made:
    charged = spending.Charged(entries, row.reserved)
    if spends or row.reserved is not None:
        charged = spending.charge(tx, spender_of(run, row), entries)
    lines: list[dict[str, object]] = []
    shape, position, head = _shape(row), row.next_position, row.head
    for entry in charged.entries:
        shape = apply(shape, entry.kind, entry.data)
        line = line_of(run, position, entry, at=tx.now, previous=head)
        lines.append({**line, "tenant": row.tenant})
        position, head = position + 1, str(line["hash"])
    moved: dict[str, object] = {
        "status": shape.status,
        "reason": shape.reason,
        "next_position": position,
        "head": head,
        "updated_at": tx.now,
    }
    if charged.reserved != row.reserved:
        moved["reserved"] = charged.reserved
    return _Made(shape, charged.entries, lines, moved)


def _settle(tx: Transaction, made: _Made) -> None:
    """What holds of a run that ended, or is paused, whatever its driver wanted to be so."""
    if made.shape.is_terminal:
        made.moved.update({**released(ready_at=None), "ended_at": tx.now})
    elif made.shape.status is RunStatus.PAUSED:
        made.moved["ready_at"] = None  # an undo that failed is tried again once it is resumed


def _tell(tx: Transaction, run: RunId, row: Any, made: _Made) -> None:
    if made.shape.is_terminal and row.parent is not None:
        _tell_parent(tx, run, row, made.moved)
    followers.tell(tx, run, row, made.entries)
    tx.hint(f"run:{run}")
    tx.hint(f"news:{row.tenant}")
    if made.moved.get("ready_at") is not None:
        tx.hint("runs")


def first_line(
    tenant: TenantId, run: RunId, data: Mapping[str, object], *, at: datetime
) -> dict[str, object]:
    """The first entry of a run, to be stored by `add_line` once the run's row is there."""
    line = line_of(run, 0, NewEntry(kind="run.created", data=data), at=at, previous="")
    return {**line, "tenant": tenant}


def add_line(tx: Transaction, line: dict[str, object]) -> None:
    """Store what `first_line` made."""
    add(tx, journal, [line])
    tx.hint(f"news:{line['tenant']}")


def hash_of(entry: Entry) -> str:
    """The hash that `entry` must have; another one means somebody changed it."""
    new = NewEntry(kind=entry.kind, name=entry.name, path=entry.path, data=entry.data)
    line = line_of(entry.run, entry.position, new, at=entry.at, previous=entry.previous)
    return str(line["hash"])


def _demand_outcomes(run: RunId, entries: Sequence[NewEntry]) -> None:
    if any(entry.kind not in OUTCOMES for entry in entries):
        raise RunHeld(f"Run {run} is paused: nothing of it begins before it is resumed.")


def _shape(row: Any) -> RunShape:
    reason = None if row.reason is None else WaitingReason(row.reason)
    return RunShape(status=RunStatus(row.status), reason=reason)


def _tell_parent(tx: Transaction, run: RunId, row: Any, moved: Mapping[str, Any]) -> None:
    kind = told_of_the_end(_shape(locked(tx, row.parent)))
    if kind is not None:
        result, error = (json.loads(moved.get(name) or "null") for name in ("result", "error"))
        data = {"child": run, "status": moved["status"], "result": result, "error": error}
        wake(
            tx,
            row.parent,
            [NewEntry(kind=kind, name=row.workflow, path=row.parent_path, data=data)],
        )


_ENTRY = ("run", "position", "kind", "name", "path", "at", "previous", "hash")


def _all_stored(made: "_Made") -> list[Entry]:
    return [_stored(*each) for each in zip(made.entries, made.lines, strict=True)]


def _stored(entry: NewEntry, line: dict[str, Any]) -> Entry:
    fields: dict[str, Any] = {name: line[name] for name in _ENTRY}
    return Entry(**fields, data=entry.data)
