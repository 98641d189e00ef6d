"""Branches of one run: they go on side by side, each in its own order, and wait together."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Final, Protocol, TypeVar

from engine.errors import Fault, TooManyOpen, WorkflowChanged
from engine.runtime.lingering import Lingering
from engine.runtime.memory import Memory, last
from engine.runtime.pausing import Need, Pausing, Waits
from engine.runtime.signals import (
    BranchOver,
    HandedBack,
    HeldUp,
    Overfull,
    RollbackOrdered,
    Stopped,
)
from engine.store.journal import Entry, NewEntry
from signoff.running import Run

T = TypeVar("T")

NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,80}")
FAILED: Final[tuple[type[BaseException], ...]] = (
    Exception,
    SystemExit,
    BaseExceptionGroup,
    RollbackOrdered,
    Overfull,
)
STOPPED: Final = (Stopped, HandedBack, HeldUp)  # not what the branch did, and so not recorded


class Branch(Run, Protocol):
    """What the code of one branch holds."""

    @property
    def is_busy(self) -> bool:
        """Whether it is inside a deed."""
        ...

    @property
    def stopped_by(self) -> BaseException | None:
        """What stopped it, whatever its code made of that."""
        ...

    def end(self) -> None:
        """Let it get no further than to the end of its deed."""
        ...


def check_names(names: Iterable[str]) -> None:
    """Return if branches may be called so.

    Raises:
        ValueError: otherwise.
    """
    for name in names:
        if not NAME.fullmatch(name):
            raise ValueError(
                f"{name!r} is not a branch's name. Use letters, digits, dash and underscore."
            )


class Gathering:
    """The branches that begin at one call path.

    The first that fails ends the others: a deed that is under way comes to its end and is recorded,
    what is still asked of people is withdrawn, and nothing further begins.
    """

    def __init__(self, path: str, pausing: Pausing, memory: Memory, lingering: Lingering) -> None:
        self._path, self._pausing, self._memory = path, pausing, memory
        self._lingering, self._left = lingering, 0
        self._branches: Mapping[str, Branch] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._cut: set[str] = set()  # tasks that were cancelled from here
        self._done: dict[str, Any] = {}
        self._needs: list[Need] = []
        self._error: BaseException | None = None  # what ended all of them
        self.failed: str | None = None  # the branch that raised it
        self._is_over = self._has_failed = False

    async def results(
        self, code: Mapping[str, Callable[[Run], Awaitable[T]]], branches: Mapping[str, Branch]
    ) -> dict[str, T]:
        """What the branches return, by name, once all have.

        Raises:
            Suspended: while at least one waits, and none of the others can go on.
            BranchOver: if these are themselves in a branch that was ended.
            WorkflowChanged: if the code has other branches than the journal, or another one fails.
        """
        self._branches = branches
        known = self._memory.recall(self._path, kind="branches", name=",".join(code))
        if not known:
            begun = NewEntry(kind="branches.begun", name=",".join(code), path=self._path)
            self._pausing.unwritten.add(begun)
        ended = last(known, "branches.ended")
        if ended is not None:
            return await self._fail_again(code, ended)
        await self._go_on(code)
        if self._error is not None:
            if self._has_failed:
                await self._withdraw(self._error)
            raise self._error
        if self._is_over:
            raise BranchOver
        if self._needs:
            await self._pausing.together(self._needs)
        return {name: self._done[name] for name in code}

    def end(self, *, but: str | None = None, at_once: bool = False) -> None:
        """Let the branches get no further than to the end of their deeds, or not even that."""
        self._is_over = True
        for name, task in self._tasks.items():
            if name == but or task.done():
                continue
            self._branches[name].end()
            if at_once or not self._branches[name].is_busy:
                self._cut.add(name)
                task.cancel()

    async def _go_on(self, code: Mapping[str, Callable[[Run], Awaitable[Any]]]) -> None:
        self._left = len(code)
        self._lingering.begin(self._left, in_branch=self._pausing.is_branch)
        async with asyncio.TaskGroup() as beside:
            is_first = not self._pausing.is_branch
            watching = beside.create_task(self._lingering.watch()) if is_first else None
            async with asyncio.TaskGroup() as group:
                for name, fn in code.items():
                    self._tasks[name] = group.create_task(self._drive(name, fn))
            if watching is not None:
                watching.cancel()

    async def _drive(self, name: str, fn: Callable[[Run], Awaitable[Any]]) -> None:
        try:
            await self._drive_on(name, fn)
        finally:
            self._left -= 1
            if (
                self._left or not self._pausing.is_branch
            ):  # the last one leaves its place to its parent
                self._lingering.end()

    async def _drive_on(self, name: str, fn: Callable[[Run], Awaitable[Any]]) -> None:
        error: BaseException | None = None
        try:
            self._done[name] = await fn(self._branches[name])
        except asyncio.CancelledError as cancelled:
            task = asyncio.current_task()
            if name not in self._cut and task is not None and task.cancelling():
                raise
            error = Fault("A branch cancelled itself.", code="cancelled_itself")
            error.__cause__ = cancelled
        except BaseException as raised:  # border: the author's code, which may wrap what stopped it
            error = raised
        error = self._branches[name].stopped_by or error
        if isinstance(error, Waits):
            self._needs += error.needs
        elif error is not None:
            self._over(name, error)

    def _over(self, name: str, error: BaseException) -> None:
        if self._is_over and not isinstance(error, Stopped):
            return
        if self._error is None or isinstance(error, Stopped):
            self._error, self.failed = error, name
            self._has_failed = isinstance(error, FAILED)
        if isinstance(error, (*FAILED, *STOPPED)):
            self.end(but=name, at_once=isinstance(error, Stopped))

    async def _fail_again(
        self, code: Mapping[str, Callable[[Run], Awaitable[T]]], ended: Entry
    ) -> dict[str, T]:
        """Let the branch that ended all of them do so again; the others are not asked."""
        name = str(ended.data["branch"])
        self._memory.forget(f"{self._path}.")
        if "too_many_open" in ended.data:  # by now there may be room, but the others are gone
            raise Overfull(TooManyOpen(str(ended.data["too_many_open"])))
        await self._go_on({name: code[name]})
        if self._error is None:
            raise WorkflowChanged(
                self._pausing.run,
                self._path,
                recorded=f"branches that {name!r} ended",
                requested="its result",
            )
        raise self._error

    async def _withdraw(self, error: BaseException) -> None:
        said = f"Branch {self.failed} ended all of them: {type(error).__name__}."
        told = {"branch": self.failed, "message": said}
        if isinstance(error, Overfull):
            told["too_many_open"] = str(error)
        await self._pausing.end_branches(
            NewEntry(kind="branches.ended", path=self._path, data=told)
        )
        self._memory.forget(f"{self._path}.")
