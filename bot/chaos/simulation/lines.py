"""Journals in the simulated store: entries, their chain, the run's state, and what steps cost."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from bot.chaos.simulation.memory import Memory
from bot.chaos.simulation.rows import RunRow
from engine.clock import iso
from engine.digest import canonical, sha256
from engine.errors import BudgetExceeded, LeaseLost, RunHeld
from engine.ids import RunId
from engine.rules.changes import OUTCOMES, apply
from engine.rules.states import RunStatus
from engine.rules.suspicion import is_progress
from engine.store.new_entry import Entry, NewEntry
from engine.store.spelling import spelled

RELEASED: Final[Mapping[str, Any]] = {
    "token": None,
    "holder": None,
    "lease_until": None,
    "tries": 0,
}


def append(
    memory: Memory,
    run: str,
    entries: Sequence[NewEntry],
    *,
    token: str | None = None,
    changes: Mapping[str, Any] | None = None,
) -> list[Entry]:
    """Add `entries` and set the state that they lead to, as `engine.store.journal.append` does.

    Raises:
        LeaseLost, RunHeld, ImpossibleChange, BudgetExceeded: and nothing is added.
    """
    row = memory.runs[run]
    demand_lease(memory, run, token)
    begins = any(entry.kind not in OUTCOMES for entry in entries)
    if token is not None and begins and row.shape.status is RunStatus.PAUSED:
        raise RunHeld(f"Run {run} is paused.")
    shape, position, head, kept = row.shape, row.position, row.head, dict(row.kept)
    stored: list[Entry] = []
    for entry in entries:
        _charge(memory, kept, entry)
        shape = apply(shape, entry.kind, entry.data)
        line = _line(memory, run, position, entry, head)
        stored.append(line)
        position, head = position + 1, line.hash
    moved: dict[str, Any] = {"shape": shape, "position": position, "head": head}
    if token is not None and any(is_progress(entry.kind) for entry in entries):
        moved["tries"] = 1
    moved.update(changes or {})
    if shape.is_terminal:
        _settle_the_rest(memory, kept)
        moved.update({**RELEASED, "ready_at": None})
    if shape.status is RunStatus.PAUSED and memory.laws.leaves_the_paused:
        moved["ready_at"] = None
    memory.journals.put(run, (*memory.journals[run], *stored))
    memory.change_run(run, **moved, kept=kept)
    return stored


def demand_lease(memory: Memory, run: str, token: str | None) -> None:
    """Return if the run's lease is still the one that `token` proves.

    Raises:
        LeaseLost: otherwise.
    """
    if token is not None and memory.laws.proves_leases and memory.runs[run].token != token:
        raise LeaseLost(f"Run {run} is no longer driven from here.")


def wake(memory: Memory, run: str, entries: Sequence[NewEntry]) -> None:
    """Add `entries`, which end what the run waits for."""
    append(memory, run, entries)
    goes_on = memory.runs[run].shape.goes_on and memory.laws.wakes_who_waits
    memory.change_run(run, ready_at=memory.now if goes_on else None)


def create(memory: Memory, row: RunRow) -> None:
    """Store a run that somebody starts, with its first entry."""
    first = NewEntry(kind="run.created", data={"script": row.script})
    line = _line(memory, row.id, 0, first, "")
    begun = replace(row, shape=apply(None, first.kind, first.data), position=1, head=line.hash)
    memory.runs.put(row.id, begun)
    memory.journals.put(row.id, (line,))


def text_of(entry: Entry) -> str:
    """The words of which the entry's hash is made."""
    return spelled(
        entry.run,
        entry.position,
        (entry.kind, entry.name, entry.path),
        data=canonical(entry.data).decode(),
        at=iso(entry.at),
        previous=entry.previous,
    )


def _line(memory: Memory, run: str, position: int, new: NewEntry, previous: str) -> Entry:
    entry = Entry(
        run=RunId(run),
        position=position,
        kind=new.kind,
        name=new.name,
        path=new.path,
        data=new.data,
        at=memory.now,
        previous=previous,
        hash="",
    )
    return replace(entry, hash=sha256(text_of(entry).encode()))


def _charge(memory: Memory, kept: dict[str, int], entry: NewEntry) -> None:
    account, path = memory.accounts["tenant"], str(entry.path)
    if entry.kind == "step.begun" and path not in kept:
        asked = int(str(entry.data.get("cost", 0)))
        if not memory.laws.keeps_to_budgets:
            account = replace(account, reserved=account.reserved + asked)
        elif account.takes(asked):
            account = account.reserve(asked)
        else:
            raise BudgetExceeded("The budget has not enough left.", facts={"asked": asked})
        kept[path] = asked
    elif entry.kind in {"step.finished", "step.failed"} and path in kept:
        reserved = kept.pop(path)
        spent = 0 if entry.data.get("no_effect") else int(str(entry.data.get("cost", reserved)))
        if not memory.laws.settles_budgets:
            return
        account = account.settle(reserved, spent=spent)
    else:
        return
    memory.accounts.put("tenant", account)


def _settle_the_rest(memory: Memory, kept: dict[str, int]) -> None:
    for reserved in kept.values():
        account = memory.accounts["tenant"].settle(reserved, spent=reserved)
        memory.accounts.put("tenant", account)
    kept.clear()
