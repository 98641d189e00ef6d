"""Who acts next, what is lost, what time it is: all of it drawn from one seed, so that it can be had again."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Final, TypeVar

from bot.chaos.dice import Dice
from bot.chaos.simulation import asking, leasing, lines, operating, sending
from bot.chaos.simulation.claiming import Agent
from bot.chaos.simulation.crowd import Crowd
from bot.chaos.simulation.driving import Driver, Worker
from bot.chaos.simulation.judging import Broken, Judge
from bot.chaos.simulation.last import findings
from bot.chaos.simulation.laws import LAWS, Laws
from bot.chaos.simulation.leasing import Held
from bot.chaos.simulation.memory import Fate, Memory, NotAnswered
from bot.chaos.simulation.outside import Outside
from bot.chaos.simulation.resting import next_moment, rest
from bot.chaos.simulation.rows import RunRow
from bot.chaos.simulation.scripts import SCRIPTS
from bot.chaos.simulation.stepping import Died
from engine.errors import EngineError
from engine.ids import PersonId
from engine.rules.states import ApprovalStatus, RunShape, RunStatus
from engine.rules.suspicion import CRASHES_MAX, is_progress

T = TypeVar("T")

STEPS: Final = 110
JUMPS: Final = tuple(timedelta(seconds=s) for s in (1, 5, 20, 31, 61, 600, 1900, 7200))
SKEWS: Final = tuple(timedelta(seconds=s) for s in (-600, 0, 3, 600))


class Play:
    """One seed: the same seed and laws give the same lines."""

    def __init__(self, seed: str, laws: Laws = LAWS, *, keeps_trace: bool = False) -> None:
        self._dice, self._laws, self._keeps_trace = Dice(seed), laws, keeps_trace
        self.memory, self.outside = Memory(laws, budget=self._dice.one_of((6, 12, 40))), Outside()
        self._judge, self._crowd = Judge(self.memory, self.outside), self._people()
        self.trace: list[str] = []
        self.faults: Counter[str] = Counter()
        self._is_quiet = False
        self._workers = [Worker(f"worker-{n}", self._dice.one_of(SKEWS)) for n in (1, 2, 3)]
        self._beside: list[Iterator[str]] = []  # senders and agents at work
        self._deaths: Counter[str] = Counter()
        quorum, ladder = self._dice.fraction(), self._dice.fraction()
        self._asked = int(quorum * len(asking.QUORUMS)), int(ladder * len(asking.LADDERS))
        self._acts: list[Callable[[], str]] = [
            *[self._work] * 12, *[self._crowd.press] * 5, *[self._deliver] * 5,
            *[self._time_passes] * 4, *[self._fire] * 2, *[self._renew] * 2, *[self._begin_send] * 3,
            *[self._go_beside] * 6, self._begin_claim, self._operate, self._change, self._crash,
            self._start, self._switch,
        ]  # fmt: skip

    @property
    def seen(self) -> Counter[str]:
        """How often each kind of entry was written."""
        return self._judge.seen

    def play(self) -> None:
        """Act, then rest until nothing is left to do.

        Raises:
            Broken: naming the invariant that does not hold.
        """
        self._note(self._start())
        for _step in range(STEPS):
            self._note(self._dice.one_of(self._acts)())
            self.look()
        self._is_quiet = True
        rest(self)
        for said in findings(self.memory, self.outside):
            raise Broken(said)

    def _people(self) -> Crowd:
        return Crowd(self.memory, self.outside, self._dice.of("people"))

    def _note(self, said: str) -> None:
        if self._keeps_trace:
            self.trace.append(f"{self.memory.now:%d %H:%M:%S} {said}")

    def look(self) -> None:
        """Judge what changed."""
        self._judge.look()
        self._crowd.look()

    def write(self, deed: Callable[[Memory], T]) -> T:
        """Do a deed in a store that loses some commits and some answers."""
        return self.memory.write(deed, self._fate())

    def call(self) -> str:
        """What becomes of a call of the world."""
        drawn = 0.0 if self._is_quiet else self._dice.fraction()
        outcome = "done" if drawn < 0.8 else "unheard" if drawn < 0.9 else "nothing"
        self.faults[f"call {outcome}"] += 1
        return outcome

    def _fate(self) -> Fate:
        drawn = 0.0 if self._is_quiet else self._dice.fraction()
        fate = Fate.KEPT if drawn < 0.93 else Fate.LOST if drawn < 0.965 else Fate.UNANSWERED
        self.faults[f"commit {fate}"] += 1
        return fate

    def _start(self) -> str:
        if sum(1 for _run in self.memory.runs) > 1:
            return "enough has been started"
        script = self._dice.one_of(sorted(SCRIPTS))
        run = self.memory.new("run")
        shape = RunShape(status=RunStatus.CREATED)
        row = RunRow(id=run, script=script, shape=shape, ready_at=self.memory.now, kept={})
        return self._try(lambda memory: lines.create(memory, row), f"{run} is started: {script}")

    def _try(self, deed: Callable[[Memory], object], said: str) -> str:
        try:
            self.write(deed)
        except NotAnswered:
            return f"{said} (not answered)"
        except EngineError as refusal:
            return f"{said} ({refusal.code})"
        return said

    def _work(self) -> str:
        worker = self._dice.one_of(self._workers)
        if worker.going is not None:
            return f"{worker.name} {self._drive_on(worker)}"
        try:
            worker.held = self.write(lambda memory: leasing.claim(memory, worker.name))
        except NotAnswered:
            return f"{worker.name} does not know whether it claimed"
        except EngineError as refusal:
            raise Broken(f"I20: what is ready cannot be claimed: {refusal}") from refusal
        if worker.held is None:
            return f"{worker.name} finds nothing to do"
        return f"{worker.name} {self._set_out(worker, worker.held)}"

    def _set_out(self, worker: Worker, held: Held) -> str:
        if self._deaths[held.run] >= CRASHES_MAX:
            raise Broken(f"I20: {held.run} is driven and ended {CRASHES_MAX} drivers")
        driver = Driver(
            held=held,
            worker=worker.name,
            write=self._written_by(held),
            holds=lambda: self._holds(held),
            laws=self._laws,
            outside=self.outside,
            luck=self,
            asked=self._asked,
            skew=worker.skew,
        )
        worker.going = driver.drive()
        return f"drives {held.run}"

    def _holds(self, held: Held) -> bool:
        return self.memory.runs[held.run].token == held.token

    def _written_by(self, held: Held) -> Callable[[Callable[[Memory], T]], T]:
        def write(deed: Callable[[Memory], T]) -> T:
            before, holds = len(self.memory.journals[held.run]), self._holds(held)
            try:
                return self.write(deed)
            finally:
                new = self.memory.journals[held.run][before:]
                if new and not holds:
                    raise Broken(
                        f"I4: {new[0].kind} of {held.run} by {held.token}, which is not held"
                    )
                if any(is_progress(each.kind) and each.kind != "run.halted" for each in new):
                    self._deaths[held.run] = 0

        return write

    def _drive_on(self, worker: Worker) -> str:
        try:
            said = next(worker.going or iter(()))
        except StopIteration:
            worker.going = None
            return "is done"
        except (Died, NotAnswered, EngineError) as end:
            self._lose(worker)
            return f"ends: {type(end).__name__}"
        return said

    def drive_whole(self, held: Held) -> None:
        """Drive a run as far as it goes, with nobody in between."""
        worker = self._workers[0]
        worker.held = held
        self._note(f"{worker.name} {self._set_out(worker, held)}")
        while worker.going is not None:
            self._note(f"{worker.name} {self._drive_on(worker)}")

    def finish(self) -> None:
        """Let everything come to its end that is under way."""
        for worker in self._workers:
            while worker.going is not None:
                self._note(f"{worker.name} {self._drive_on(worker)}")
        while self._beside:
            self._note(self._go_beside())
        while self._crowd.is_waiting:
            self._note(self._deliver())

    def _lose(self, worker: Worker) -> None:
        if worker.going is not None and worker.held is not None and self._holds(worker.held):
            self._deaths[worker.held.run] += 1
        worker.going = worker.held = None

    def _crash(self) -> str:
        worker = self._dice.one_of(self._workers)
        self.faults["crash"] += worker.going is not None
        self._lose(worker)
        self._beside.clear()
        return f"{worker.name} and all senders die"

    def _deliver(self) -> str:
        return self._crowd.deliver(self._fate)

    def _time_passes(self) -> str:
        moment = next_moment(self.memory) if self._dice.chance(0.4) else None
        self.memory.now = moment or self.memory.now + self._dice.one_of(JUMPS)
        return "time passes"

    def _fire(self) -> str:
        return self._try(asking.fire_due, "rungs are looked at")

    def _renew(self) -> str:
        worker = self._dice.one_of(self._workers)
        held = worker.held
        if held is None or worker.going is None:
            return f"{worker.name} has nothing to renew"
        return self._try(lambda memory: leasing.renew(memory, held), f"{worker.name} renews")

    def _begin_send(self) -> str:
        self._beside.append(self._send())
        return "a sender looks"

    def _send(self) -> Iterator[str]:
        held = self.write(sending.claim)
        if held is None:
            return
        yield f"a sender has {held.id}"
        outcome = self.call()
        if outcome != "nothing":
            sending.post(self.memory, self.outside, held)
        yield f"{held.id}: {outcome}"
        self.write(lambda memory: sending.mark(memory, held, is_sent=outcome == "done"))

    def _begin_claim(self) -> str:
        request, token = f"effect-{self._dice.one_of((1, 2))}", self.memory.new("claim")
        agent = Agent(
            request=request, token=token, write=self.write, outside=self.outside, luck=self
        )
        self._beside.append(agent.drive())
        return f"an agent wants {request}"

    def _go_beside(self) -> str:
        if not self._beside:
            return "nobody sends"
        going = self._dice.one_of(self._beside)
        try:
            return next(going)
        except (StopIteration, NotAnswered, EngineError) as end:
            self._beside.remove(going)
            return f"a sender ends: {type(end).__name__}"

    def _operate(self) -> str:
        run = self._dice.one_of([row.id for row in self.memory.runs] or ["run_0"])
        if run not in self.memory.runs:
            return "an operator has nothing to do"
        verb = self._dice.one_of(sorted(operating.VERBS))
        deed = operating.VERBS[verb]
        self._deaths[run] = 0  # whoever meddles lets it begin anew
        return self._try(lambda memory: deed(memory, run), f"an operator {verb} {run}")

    def _change(self) -> str:
        asked = [a.id for a in self.memory.approvals if a.status is ApprovalStatus.OPEN]
        if not asked:
            return "nothing is asked"
        approval, drawn = self._dice.one_of(asked), self._dice.fraction()
        if drawn < 0.4:
            amount, who = 100 + int(drawn * 1_000), PersonId(self._dice.one_of(("zoe", "ana")))
            said = f"{who} edits {approval}"
            return self._try(lambda memory: asking.edit(memory, approval, amount, who), said)
        if drawn < 0.7:
            by = timedelta(hours=1)
            return self._try(lambda memory: asking.extend(memory, approval, by), "more time")
        return self._try(
            lambda memory: asking.withdraw(memory, approval), f"{approval} is withdrawn"
        )

    def _switch(self) -> str:
        is_engaged = self._dice.chance(0.5)
        return self._try(
            lambda memory: operating.switch(memory, is_engaged=is_engaged), f"switch: {is_engaged}"
        )
