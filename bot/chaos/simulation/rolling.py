"""Rolling a simulated run back: what the engine's own plan names, newest first, each once."""

from collections.abc import Generator, Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from bot.chaos.simulation import asking, lines
from bot.chaos.simulation.memory import Memory
from bot.chaos.simulation.outside import Deed
from bot.chaos.simulation.scripts import SCRIPTS
from engine.rules.states import ApprovalStatus
from engine.store import undoing
from engine.store.new_entry import Entry, NewEntry
from engine.store.undoing import Undo

if TYPE_CHECKING:
    from bot.chaos.simulation.driving import Driver

ATTEMPTS: Final = 2
_AGAIN: Final = timedelta(seconds=20)


def begin_back(
    memory: Memory, run: str, reason: str, *, token: str | None = None, by: str | None = None
) -> list[Entry]:
    """Begin to roll the run back; with a `token` its driver goes on, without one anybody does.

    Raises:
        LeaseLost, ImpossibleChange: and nothing is changed.
    """
    for row in list(memory.approvals):
        if row.run == run and row.status is ApprovalStatus.OPEN:
            decision = asking.decided("cancelled", "rolled_back")
            asking.end(memory, row, ApprovalStatus.CANCELLED, decision)
    said = {"to": "start", "position": 0, "mode": "stop", "reason": reason, "by": by}
    started = NewEntry(kind="rollback.started", data=said)
    changes = {} if token else {**lines.RELEASED, "ready_at": memory.now}
    before = len(memory.journals[run])
    lines.append(memory, run, [started], token=token, changes=changes)
    return list(memory.journals[run][before:])


class Undoer:
    """One drive of a run that goes back."""

    def __init__(self, driver: "Driver") -> None:
        self._driver = driver

    def roll_back(self) -> Iterator[str]:
        """Undo what is left, and end the run."""
        driver = self._driver
        while True:
            laws = driver.laws
            entries = driver.write(lambda memory: memory.journals[driver.held.run])
            left = undoing.plan(entries)
            if not laws.undoes_what_has_no_end:
                left = [undo for undo in left if undo.is_certain]
            if not left:
                driver.record([NewEntry(kind="run.rolled_back", data={"reason": "done"})])
                yield "has undone all"
                return
            undo = left[0] if laws.undoes_newest_first else left[-1]
            if not (yield from self._undo(undo, entries)):
                return

    def _undo(self, undo: Undo, entries: Sequence[Entry]) -> Generator[str, None, bool]:
        driver = self._driver
        is_ordered = any(e.data.get("by") for e in entries if e.kind == "rollback.started")
        begin = driver.record if is_ordered else driver.begin
        begin([self._entry("compensation.begun", undo)])
        yield f"begins to undo {undo.step}"
        if not self._call(undo, entries):
            yield f"could not undo {undo.step}"
            self._fail(undo, entries)
            return False
        yield f"undid {undo.step}"
        driver.record([self._entry("compensation.finished", undo)])
        return True

    def _call(self, undo: Undo, entries: Sequence[Entry]) -> bool:
        driver = self._driver
        step = SCRIPTS[str(entries[0].data["script"])][int(undo.path)]
        if _failures(entries, undo) < step.undo_fails or driver.luck.call() == "nothing":
            return False
        request = f"{driver.held.run}:{undo.path}:undo"
        deed = Deed(
            request=request,
            run=driver.held.run,
            step=undo.step,
            amount=0,
            by=driver.held.token,
            irreversible=False,
            is_held=driver.holds(),
            is_undo=True,
        )
        driver.outside.do(deed)
        return True

    def _fail(self, undo: Undo, entries: Sequence[Entry]) -> None:
        driver = self._driver
        failed = self._entry("compensation.failed", undo)
        if _failures(entries, undo, since_retry=True) + 1 < ATTEMPTS:
            again = {**lines.RELEASED}

            def deed(memory: Memory) -> None:
                changes = {**again, "ready_at": memory.now + _AGAIN}
                lines.append(
                    memory, driver.held.run, [failed], token=driver.held.token, changes=changes
                )

            driver.write(deed)
            return
        stuck = self._entry("compensation.stuck", undo)
        driver.record([failed, stuck], **lines.RELEASED, ready_at=None)

    def _entry(self, kind: str, undo: Undo) -> NewEntry:
        return NewEntry(kind=kind, name=undo.step, path=undo.path)


def _failures(entries: Sequence[Entry], undo: Undo, *, since_retry: bool = False) -> int:
    failed = 0
    for entry in entries:
        if since_retry and entry.kind == "compensation.retried":
            failed = 0
        elif entry.kind == "compensation.failed" and entry.path == undo.path:
            failed += 1
    return failed
