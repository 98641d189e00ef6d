"""What workflow code holds: each deed is answered from the journal, or done and journaled."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from copy import copy
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from typing_extensions import override

from engine.clock import Clock, from_iso, iso
from engine.errors import Fault
from engine.ids import Ids
from engine.rules.durations import parse_duration
from engine.runtime.asking import Asker
from engine.runtime.calling import Caller
from engine.runtime.doing import Doing
from engine.runtime.gathering import Gathering, check_names
from engine.runtime.keeping import Keeper
from engine.runtime.lingering import Lingering
from engine.runtime.memory import Memory, last
from engine.runtime.parenting import Parent
from engine.runtime.pausing import Pausing, Waits
from engine.runtime.signals import STOPS, BranchOver, Overfull, Stopped, stop_for
from engine.runtime.snapshots import Told
from engine.runtime.stepping import Stepper
from engine.runtime.turns import Turn
from engine.runtime.unwritten import Unwritten
from engine.runtime.workflows import NONE, Workflows
from engine.services.driving import Driven
from engine.store.database import Database
from engine.store.journal import Entry, NewEntry
from engine.store.runs import Claim
from signoff.asking import RunTerms, check_terms
from signoff.layers import Asked, Task
from signoff.manners import PLAIN, Manner
from signoff.outcomes import ApprovalEnded, Decision
from signoff.registry import AnyWorkflow, called
from signoff.running import Run

T = TypeVar("T")


class RunContext(Doing):
    """Implements `signoff.Run` for one drive of one run.

    Values such as `now()` are written before or with the next deed: lost before that, nothing
    depended on them. A step's end is written with the next deed too where the code goes straight on
    to it, and at once where it does anything else; no step begins before what came earlier is durable.
    What stops the driver stops it for good: the code cannot catch it and go on. Each branch has one of
    these, with call paths of its own.
    """

    def __init__(
        self,
        claim: Claim,
        *,
        database: Database,
        clock: Clock,
        ids: Ids,
        stops: Callable[[], BaseException | None] = lambda: None,
        manner: Manner = PLAIN,
    ) -> None:
        self._stops = stops
        self._claim, self._clock, self._ids = claim, clock, ids
        self._driven = Driven(tenant=claim.run.tenant, run=claim.run.id, token=claim.token)
        self.unwritten = Unwritten(self._driven, database)
        self._prefix, self._next = "", 0
        self._patches: dict[str, bool] = {}  # one answer for each, wherever the code asks again
        self._is_busy = self._is_ended = False
        self._gathering: Gathering | None = None
        self._last_in: asyncio.Task[Any] | None = None
        self._stop: BaseException | None = None
        self.memory = Memory(claim.run.id, claim.entries)
        self._pausing = Pausing(claim, self.unwritten, clock)
        self._keeper = Keeper(self._driven, self.unwritten, claim.run, manner)
        self.caller = Caller(claim, database)
        self._stepper = Stepper(self._driven, self._pausing, clock, ids, self.caller)
        self.asker = Asker(self._driven, self._pausing, claim)
        self._parent = Parent(claim, self._pausing, NONE)
        self._lingering = Lingering(claim, self.memory, database, clock)

    def may_start(self, workflows: Workflows) -> None:
        """From here on the code may start runs of these."""
        self._parent = Parent(self._claim, self._pausing, workflows)

    @property
    def id(self) -> str:
        return self._claim.run.id

    @property
    def workflow(self) -> str:
        return self._claim.run.workflow

    @property
    def feedback(self) -> str | None:
        return self.memory.feedback

    @property
    def driven(self) -> Driven:
        """The run and the proof of its lease."""
        return self._driven

    @property
    def on_reject(self) -> str:
        """What the approval that ended last said becomes of a run that does not catch it."""
        return self.asker.on_reject

    @property
    def rollback_to(self) -> str | None:
        """Where that approval said a rejection goes back to; None is the last approved checkpoint."""
        return self.asker.rollback_to

    async def approval(self, title: str, **terms: Any) -> Decision:
        check_terms(terms, RunTerms)
        async with self._one_at_a_time() as path:
            name = self.asker.action_of(terms)

            async def decided(known: Sequence[Entry]) -> Decision:
                await self._keeper.before_approval(path, name, terms, known)
                return await self.asker.decision(path, title, terms, known)

            return await self._answered(path, ("approval", name), decided)

    async def checkpoint(
        self,
        name: str,
        *,
        state: Mapping[str, object] | None = None,
        asked: str | Asked | None = None,
        task: str | Task | None = None,
    ) -> str:
        async with self._one_at_a_time() as path:
            known = self.memory.recall(path, kind="checkpoint", name=name)
            created = last(known, "checkpoint.created")
            if created is not None:
                return f"artifact:{created.data['artifact']}"
            told = Told(name=name, state=state or {}, asked=asked, task=task)
            return await self._keeper.keep(path, told)

    async def gather(self, **branches: Callable[[Run], Awaitable[T]]) -> Mapping[str, T]:
        check_names(branches)
        async with self._one_at_a_time() as path:
            made = {name: self._branch(f"{path}.{name}.") for name in branches}
            self._gathering = Gathering(path, self._pausing, self.memory, self._lingering)
            try:
                return await self._gathering.results(branches, made)
            except ApprovalEnded:
                self.asker.follow(made[self._gathering.failed or ""].asker)
                raise
            finally:
                self._gathering = None

    async def child(self, workflow: str | AnyWorkflow, /, *args: Any, **kwargs: Any) -> Any:
        name, given = called(workflow, args, kwargs)
        async with self._one_at_a_time() as path:
            result = partial(self._parent.result, path, name, given)
            try:
                return await self._answered(path, ("child", name), result)
            except ApprovalEnded:
                self.asker.on_reject, self.asker.rollback_to = "rollback", None
                raise

    async def sleep(self, duration: timedelta | str) -> None:
        wanted = parse_duration(duration) if isinstance(duration, str) else duration
        async with self._one_at_a_time() as path:
            slept = partial(self._pausing.slept, path, wanted)
            await self._answered(path, ("sleep", "sleep"), slept)

    async def now(self) -> datetime:
        return from_iso(str(await self._value("now", lambda: iso(self._clock.now()))))

    async def random(self) -> float:
        return float(str(await self._value("random", lambda: repr(self._ids.fraction()))))

    async def uuid(self) -> UUID:
        return UUID(str(await self._value("uuid", lambda: self._ids.new("").lstrip("_"))))

    async def patched(self, name: str) -> bool:
        self._one_at_a_time()
        if name not in self._patches:
            has_it = self.memory.has_patch(name)
            if not has_it and not self.memory.goes_beyond(f"{self._prefix}{self._next}"):
                self.unwritten.add(NewEntry(kind="patch.recorded", name=name))
                has_it = True
            self._patches[name] = has_it
        return self._patches[name]

    async def _value(self, name: str, make: Callable[[], str]) -> object:
        async with self._one_at_a_time() as path:
            known = self.memory.recall(path, kind="value", name=name)
            if known:
                return known[0].data["value"]
            value = make()
            self.unwritten.add(
                NewEntry(kind="value.recorded", name=name, path=path, data={"value": value})
            )
            return value

    @override
    async def _answered(
        self, path: str, asked: tuple[str, str], deed: Callable[[Sequence[Entry]], Awaitable[T]]
    ) -> T:
        kind, name = asked
        with self._lingering.deed():
            while True:
                try:
                    return await deed(self.memory.recall(path, kind=kind, name=name))
                except Waits as waits:
                    await self._lingering.until_over(waits)

    @override
    def _one_at_a_time(self) -> Turn:
        if self._stop is None and self._is_ended:
            self._stop = BranchOver()
        if self._stop is None:
            self._stop = self._stops()
        if self._stop is not None:
            raise self._stop
        # A step that never waits is over before another task's begins, and would be only by chance.
        is_fresh = self.unwritten.is_fresh(self._prefix)
        is_elsewhere = is_fresh and asyncio.current_task() is not self._last_in
        if self._is_busy or is_elsewhere:
            raise Fault(
                "Two deeds of one run were asked for at once, so their order would change on replay. "
                "Await them one after the other, or give each a branch of its own with run.gather.",
                code="concurrent_deeds",
            )
        return Turn(self)

    async def enter(self) -> str:
        """Take the next call path, once what the deed before it left to write is written."""
        self._is_busy, self._last_in = True, asyncio.current_task()
        try:
            await self.unwritten.settle()
        except BaseException as error:  # border: whatever it was, the deed is over
            self.leave(error)
            raise
        path = self.memory.place(f"{self._prefix}{self._next}")
        self._next += 1
        return path

    def leave(self, error: BaseException | None) -> None:
        """The deed is over. After what stops the driver the code gets nothing more."""
        self._is_busy = False
        if (stop := stop_for(error)) is not None:
            self._stop = stop
            raise stop from error
        if isinstance(error, STOPS):
            self._stop = error
        elif self._is_ended:
            self._stop = BranchOver()
            raise self._stop from error

    @property
    def is_busy(self) -> bool:
        """Whether the code is inside a deed."""
        return self._is_busy

    @property
    def stopped_by(self) -> BaseException | None:
        """What stopped the driver, if anything did."""
        return self._stop

    def end(self) -> None:
        """Let this branch, and those within it, get no further than to the end of their deeds."""
        self._is_ended = True
        self._lingering.send_away(self._prefix)
        if self._gathering is not None:
            self._gathering.end()

    def _branch(self, prefix: str) -> "RunContext":
        """A branch of this run: what it holds of its own is where it is and how it waits."""
        branch = copy(self)
        branch._prefix, branch._next = prefix, 0
        branch._is_busy = branch._is_ended = False
        branch._last_in = branch._stop = branch._gathering = None
        branch._pausing = self._pausing.of_branch()
        branch._stepper, branch.asker = self._stepper.of_branch(), self.asker.of_branch()
        branch._parent = self._parent.of_branch()
        return branch

    def raise_stop(self) -> None:
        """Raise what stopped the driver, if anything did, whatever the code made of it."""
        if isinstance(self._stop, Stopped | Overfull):
            raise self._stop.cause
        if self._stop is not None:
            raise self._stop
