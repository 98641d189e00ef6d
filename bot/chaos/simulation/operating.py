"""What operators do in the simulation: they pause, kill, release, settle, retry, skip and undo."""

from collections.abc import Callable, Mapping
from typing import Final

from bot.chaos.simulation import asking, lines
from bot.chaos.simulation.memory import Memory
from bot.chaos.simulation.outside import Outside
from bot.chaos.simulation.rolling import begin_back
from bot.chaos.simulation.rows import RunRow
from bot.chaos.simulation.switching import stands_above
from engine.rules.states import ApprovalStatus, RunStatus, WaitingReason
from engine.rules.switches import TENANT
from engine.store.new_entry import NewEntry

Deed = Callable[[Memory], object]


def stop(memory: Memory, run: str, kind: str) -> None:
    """End the run where it is, and what it asks: `run.killed` or `run.cancelled`."""
    asks = [a for a in memory.approvals if a.run == run and a.status is ApprovalStatus.OPEN]
    for row in asks if memory.laws.stops_asking_at_the_end else ():
        decision = asking.decided("cancelled", kind)
        asking.end(memory, row, ApprovalStatus.CANCELLED, decision)
    lines.append(memory, run, [NewEntry(kind=kind, data={"by": "person:op"})])


def pause(memory: Memory, run: str) -> None:
    """Hold it; its driver may still say what came of what it did."""
    before = memory.runs[run].shape.status
    lines.append(memory, run, [NewEntry(kind="run.paused", data={"from": before})])
    memory.change_run(run, ready_at=None)


def resume(memory: Memory, run: str) -> None:
    """Let it go on, or wait on."""
    goes_back = any(entry.kind == "rollback.started" for entry in memory.journals[run])
    to = RunStatus.ROLLING_BACK if goes_back else RunStatus.RUNNING
    row = memory.runs[run]
    lines.append(memory, run, [NewEntry(kind="run.resumed", data={"to": to})])
    is_timed = row.shape.reason is WaitingReason.TIMER
    goes_on = memory.runs[run].shape.goes_on
    memory.change_run(run, ready_at=memory.now if goes_on or is_timed else None)


def roll_back(memory: Memory, run: str) -> None:
    """Undo what it did, whatever it is at."""
    begin_back(memory, run, "An operator wants it.", by="person:op")


def switch(memory: Memory, *, is_engaged: bool) -> None:
    """Engage or release the switch above everything of this tenant."""
    memory.switches.put(TENANT, is_engaged)


def free_halted(memory: Memory) -> None:
    """Let those go on that were halted and have no switch above them any more."""
    for row in list(memory.runs):
        is_halted = row.shape.reason is WaitingReason.HALTED
        if is_halted and stands_above(memory, row.id) is None:
            _go_on(memory, row, "run.freed")


def settle(memory: Memory, outside: Outside, run: str) -> None:
    """Look at the target, and say truly whether the unknown effect happened."""
    unknown = next(e for e in reversed(memory.journals[run]) if e.kind == "effect.unknown")
    happened = f"{run}:{unknown.path}" in outside.effects
    said = {"outcome": "happened" if happened else "did_not_happen", "no_effect": not happened}
    after = "step.finished" if happened else "step.failed"
    kinds = ("effect.settled", after)
    entries = [NewEntry(kind=k, name=unknown.name, path=unknown.path, data=said) for k in kinds]
    lines.wake(memory, run, entries)


def mend(memory: Memory, outside: Outside, row: RunRow) -> Deed | None:
    """The verb that leads out of what this run waits for, if it waits for an operator."""
    run = row.id
    if row.shape.status is RunStatus.PAUSED and row.shape.reason is not WaitingReason.RECONCILE:
        return lambda memory: resume(memory, run)
    match row.shape.reason:
        case WaitingReason.RECONCILE:
            return lambda memory: settle(memory, outside, run)
        case WaitingReason.QUARANTINED:
            return lambda memory: stop(memory, run, "run.cancelled")
        case WaitingReason.STUCK:
            return lambda memory: unstick(memory, run)
        case _:
            return None


def unstick(memory: Memory, run: str) -> None:
    """Have the compensation tried again, or leave it out where that was done before."""
    entries = memory.journals[run]
    stuck = next(entry for entry in reversed(entries) if entry.kind == "compensation.stuck")
    was_tried = any(entry.kind == "compensation.retried" for entry in entries)
    kind = "compensation.skipped" if was_tried else "compensation.retried"
    lines.wake(memory, run, [NewEntry(kind=kind, name=stuck.name, path=stuck.path)])


def _go_on(memory: Memory, row: RunRow, kind: str) -> None:
    halted = next(e for e in reversed(memory.journals[row.id]) if e.kind == "run.halted")
    lines.append(memory, row.id, [NewEntry(kind=kind, data={"to": halted.data["from"]})])
    goes_on = memory.runs[row.id].shape.goes_on
    memory.change_run(row.id, ready_at=memory.now if goes_on else None)


VERBS: Final[Mapping[str, Callable[[Memory, str], None]]] = {
    "kills": lambda memory, run: stop(memory, run, "run.killed"),
    "cancels": lambda memory, run: stop(memory, run, "run.cancelled"),
    "pauses": pause,
    "resumes": resume,
    "rolls back": roll_back,
}
