"""A driver of a simulated run: it replays a script against its journal, and dies wherever it is left."""

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, Protocol, TypeVar

from bot.chaos.simulation import asking, lines
from bot.chaos.simulation.laws import Laws
from bot.chaos.simulation.leasing import Held
from bot.chaos.simulation.memory import Memory
from bot.chaos.simulation.outside import Outside
from bot.chaos.simulation.rolling import Undoer, begin_back
from bot.chaos.simulation.scripts import AMOUNT, SCRIPTS, Step
from bot.chaos.simulation.stepping import Stepper
from bot.chaos.simulation.switching import demand_released, stands_above
from engine.errors import KillSwitchTriggered, LeaseLost, RunHeld
from engine.rules.states import RunStatus
from engine.store.new_entry import Entry, NewEntry

T = TypeVar("T")

ROUNDS_MAX: Final = 2
SLEEP: Final = timedelta(minutes=10)
_GIVEN: Final = frozenset({"approved", "continued"})


class Luck(Protocol):
    """What happens to a call of the world."""

    def call(self) -> str:
        """`done`, `unheard` (done, and the answer lost) or `nothing`."""
        ...


@dataclass(slots=True)
class Worker:
    """A process that drives, with a clock of its own that may be wrong."""

    name: str
    skew: timedelta
    held: Held | None = None
    going: Iterator[str] | None = None


@dataclass(slots=True)
class Driver:
    """One drive. `write` is the worker's way to the store, on which commits and answers get lost."""

    held: Held
    worker: str
    write: Callable[[Callable[[Memory], Any]], Any]
    holds: Callable[[], bool]
    laws: Laws
    outside: Outside
    luck: Luck
    asked: tuple[int, int]
    skew: timedelta
    entries: list[Entry] = field(default_factory=list[Entry])

    def drive(self) -> Iterator[str]:
        """Go as far as it goes; says what it did wherever somebody else may come in between.

        Raises:
            Died, NotAnswered: the process is gone, or knows too little to go on.
        """
        self.entries = list(self.held.entries)
        try:
            yield from self._drive()
        except (LeaseLost, RunHeld) as stopped:
            yield f"stops: {stopped.code}"
            if isinstance(stopped, RunHeld):
                self.write(self._give_back)
        except KillSwitchTriggered:
            yield "is halted"
            self.write(self._hold_up)

    def _drive(self) -> Iterator[str]:
        if self._is_going_back():
            yield from Undoer(self).roll_back()
            return
        for at, step in enumerate(self._script):
            known = [entry for entry in self.entries if entry.path == str(at)]
            match step.kind:
                case "ask":
                    if not (yield from self._ask(str(at), known)):
                        return
                case "sleep":
                    if not any(entry.kind == "sleep.ended" for entry in known):
                        yield from self._sleep(str(at))
                        return
                case _:
                    if not (yield from Stepper(self).step(str(at), step, known)):
                        return
        self.record([NewEntry(kind="run.completed", data={"result": "done"})])
        yield "completes"

    @property
    def _script(self) -> tuple[Step, ...]:
        return SCRIPTS[str(self.entries[0].data["script"])]

    def _is_going_back(self) -> bool:
        kinds = [entry.kind for entry in self.entries]
        return "rollback.started" in kinds

    def record(self, entries: Sequence[NewEntry], **changes: Any) -> None:
        """Append under the lease, and remember."""
        self.entries += self.write(
            lambda memory: lines.append(
                memory, self.held.run, entries, token=self.held.token, changes=changes
            )
        )

    def begin(self, entries: Sequence[NewEntry]) -> None:
        """As `record`, for the intent of what the world will see."""

        def deed(memory: Memory) -> list[Entry]:
            demand_released(memory, self.held.run)
            return lines.append(memory, self.held.run, entries, token=self.held.token)

        self.entries += self.write(deed)

    def _give_back(self, memory: Memory) -> None:
        row = memory.runs[self.held.run]
        if row.token == self.held.token:
            memory.change_run(row.id, **{**lines.RELEASED, "tries": max(0, row.tries - 1)})

    def _hold_up(self, memory: Memory) -> None:
        row = memory.runs[self.held.run]
        if row.token != self.held.token:
            return
        if row.shape.status is RunStatus.PAUSED:
            self._give_back(memory)
            return
        scope = stands_above(memory, row.id)
        halted = NewEntry(kind="run.halted", data={"scope": scope, "from": row.shape.status})
        changes = {
            **lines.RELEASED,
            "tries": max(0, row.tries - 1),
            "ready_at": memory.now if scope is None else None,
        }
        entries = [] if scope is None else [halted]
        lines.append(memory, row.id, entries, token=self.held.token, changes=changes)

    def _sleep(self, path: str) -> Iterator[str]:
        def deed(memory: Memory) -> None:
            started = NewEntry(kind="sleep.started", name="sleep", path=path)
            changes = {**lines.RELEASED, "ready_at": memory.now + SLEEP + self.skew}
            lines.append(memory, self.held.run, [started], token=self.held.token, changes=changes)

        self.write(deed)
        yield "sleeps"

    def _ask(self, path: str, known: Sequence[Entry]) -> Generator[str, None, bool]:
        """Whether there is consent; otherwise the lease was given back."""
        decided = next((e for e in reversed(known) if e.kind == "approval.decided"), None)
        rounds = sum(entry.kind == "approval.opened" for entry in known)
        outcome = None if decided is None else str(decided.data["outcome"])
        if outcome in _GIVEN:
            return True
        if outcome is None or (outcome == "changes_requested" and rounds < ROUNDS_MAX):
            self.write(lambda memory: self._open(memory, path))
            yield "asks"
            return False
        yield from self.go_back(f"It was {outcome}.")
        return False

    def _open(self, memory: Memory, path: str) -> None:
        run, token = self.held.run, self.held.token
        lines.demand_lease(memory, run, token)
        entry = asking.opened(memory, run, path, AMOUNT, self.asked)
        changes = {**lines.RELEASED, "ready_at": None}
        lines.append(memory, run, [entry], token=token, changes=changes)

    def go_back(self, reason: str) -> Iterator[str]:
        run, token = self.held.run, self.held.token
        self.entries += self.write(lambda memory: begin_back(memory, run, reason, token=token))
        yield f"goes back: {reason}"
        yield from Undoer(self).roll_back()
