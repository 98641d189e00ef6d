"""The steps of a simulated run: begun, done once or doubted, and recorded with what they came to."""

from collections.abc import Generator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.chaos.simulation import asking, lines
from bot.chaos.simulation.memory import Memory
from bot.chaos.simulation.outside import Deed
from bot.chaos.simulation.rows import ApprovalRow
from bot.chaos.simulation.scripts import AMOUNT, Step
from bot.chaos.simulation.switching import demand_released
from engine.errors import BudgetExceeded, DigestMismatch, Refused
from engine.rules.states import ApprovalStatus
from engine.store.new_entry import Entry, NewEntry

if TYPE_CHECKING:
    from bot.chaos.simulation.driving import Driver


class Died(Exception):
    """The process that drove is no more."""


class Stepper:
    """The steps of one drive."""

    def __init__(self, driver: "Driver") -> None:
        self._driver = driver
        self._run, self._token = driver.held.run, driver.held.token

    def step(self, path: str, step: Step, known: Sequence[Entry]) -> Generator[str, None, bool]:
        """Whether it is done."""
        kinds = [entry.kind for entry in known]
        if "step.finished" in kinds and self._remembers():
            return True
        if step.irreversible and self._is_doubtful(kinds):
            return (yield from self._probe(path, step))
        try:
            self._begin(path, step, known)
        except (BudgetExceeded, DigestMismatch, Refused) as refusal:
            yield from self._driver.go_back(f"{step.name} may not begin: {refusal.code}.")
            return False
        yield f"begins {step.name}"
        if step.kills:
            raise Died
        match self._call(path, step):
            case "done":
                yield f"did {step.name}"
                self._finish(path, step)
                return True
            case "nothing":
                yield f"could not do {step.name}"
                self._failed(path, step)
                return False
            case _:
                yield f"heard nothing of {step.name}"
                return (yield from self._unheard(path, step))

    def _remembers(self) -> bool:
        return self._driver.laws.remembers_steps

    def _is_doubtful(self, kinds: Sequence[str]) -> bool:
        last = [k for k in kinds if k in {"step.begun", "step.failed", "effect.unknown"}][-1:]
        is_open = last in (["step.begun"], ["effect.unknown"])
        return is_open and self._driver.laws.doubts_what_was_lost

    def _begin(self, path: str, step: Step, known: Sequence[Entry]) -> None:
        begun = NewEntry(
            kind="step.begun",
            name=step.name,
            path=path,
            data={
                "arguments": {"args": [], "kwargs": {}},
                "undo": f"undo_{step.name}" if step.has_undo else None,
                "irreversible": step.irreversible,
                "cost": step.cost,
                "attempt": 1 + sum(entry.kind == "step.failed" for entry in known),
                "again": bool(known) and known[-1].kind == "step.begun",
            },
        )
        if not step.approved or any(entry.kind == "approval.consumed" for entry in known):
            self._driver.begin([begun])
            return
        self._driver.entries += self._driver.write(
            lambda memory: self._dispatch(memory, step, begun)
        )

    def _dispatch(self, memory: Memory, step: Step, begun: NewEntry) -> list[Entry]:
        demand_released(memory, self._run)
        row = self._decision(memory)
        is_same = asking.digest_of(self._amount(step), row.quorum) == row.digest
        if memory.laws.binds_the_call and not is_same:
            raise DigestMismatch("What the step would do is not what was approved.")
        if row.is_consumed and memory.laws.uses_decisions_once:
            raise Refused("The decision was used already.", code="already_used")
        asking.consume(memory, row)
        said = {"approval": row.id, "digest": row.digest}
        consumed = NewEntry(kind="approval.consumed", path=begun.path, data=said)
        return lines.append(memory, self._run, [consumed, begun], token=self._token)

    def _decision(self, memory: Memory) -> ApprovalRow:
        row = next(each for each in memory.approvals if each.run == self._run)
        outcome = (row.decision or {}).get("outcome")
        if row.status is not ApprovalStatus.APPROVED and outcome != "continued":
            raise Refused("No decision allows this step.", code="not_approved")
        return row

    def _call(self, path: str, step: Step) -> str:
        outcome = self._driver.luck.call()
        if outcome != "nothing":
            self._driver.outside.do(self._deed(path, step))
        return outcome

    def _deed(self, path: str, step: Step) -> Deed:
        return Deed(
            request=f"{self._run}:{path}",
            run=self._run,
            step=step.name,
            amount=self._amount(step),
            by=self._token,
            irreversible=step.irreversible,
            is_held=self._driver.holds(),
        )

    def _amount(self, step: Step) -> int:
        """What the call is about to be made with: what was decided, unless the code swaps it."""
        if step.calls is not None:
            return step.calls
        decided = [each for each in self._driver.entries if each.kind == "approval.decided"]
        return int(decided[0].data["amount"]) if decided else AMOUNT

    def _finish(self, path: str, step: Step) -> None:
        said = {"result": step.name, "cost": step.cost}
        self._driver.record([NewEntry(kind="step.finished", name=step.name, path=path, data=said)])

    def _failed(self, path: str, step: Step) -> None:
        """It did nothing, and is tried again later."""
        said = {"no_effect": True, "is_final": False, "error": {"message": "away"}}
        failed = NewEntry(kind="step.failed", name=step.name, path=path, data=said)
        again = NewEntry(
            kind="step.retry_scheduled", name=step.name, path=path, data={"attempt": 2}
        )

        def deed(memory: Memory) -> None:
            changes = {
                **lines.RELEASED,
                "ready_at": memory.now + timedelta(seconds=5) + self._driver.skew,
            }
            entries = [failed, again]
            lines.append(memory, self._run, entries, token=self._token, changes=changes)

        self._driver.write(deed)

    def _unheard(self, path: str, step: Step) -> Generator[str, None, bool]:
        if step.irreversible:
            return (yield from self._probe(path, step))
        self._driver.outside.do(self._deed(path, step))  # again, under the same request id
        self._finish(path, step)
        yield f"did {step.name} again"
        return True

    def _probe(self, path: str, step: Step) -> Generator[str, None, bool]:
        """Ask the target whether it happened; where it cannot tell, the operators are asked."""
        is_there = f"{self._run}:{path}" in self._driver.outside.effects
        if not step.probes:
            unknown = NewEntry(kind="effect.unknown", name=step.name, path=path)
            self._driver.record([unknown], **lines.RELEASED, ready_at=None)
            yield f"does not know about {step.name}"
            return False
        outcome = {"outcome": "happened" if is_there else "did_not_happen"}
        settled = NewEntry(kind="effect.settled", name=step.name, path=path, data=outcome)
        if is_there:
            self._driver.record([settled])
            self._finish(path, step)
            yield f"found {step.name} done"
            return True
        self._driver.record([settled])
        self._failed(path, step)
        yield f"found {step.name} not done"
        return False
