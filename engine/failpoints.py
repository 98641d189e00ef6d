"""Boundaries: where this process reaches the world outside, and where tests and drills make it fail.

A boundary is declared once, beside the call that it stands for:

    _POST: Final = Boundary("webhook", breaks=lambda: EgressFailed("The line broke.", ambiguous=True))
    answer = await _POST.through(self._egress.request(...))

Nothing happens there unless `arm` was told so. `commit/votes.cast=lost@2` says: of the commits that
hold the deed `votes.cast`, the second is made, and whoever waits for it hears that the line broke.
"""

import asyncio
import inspect
import os
import re
import signal
from collections.abc import Awaitable, Callable, Collection, Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final, TypeVar

from engine.clock import Clock, SystemClock
from engine.errors import Invalid

T = TypeVar("T")


class Mode(StrEnum):
    """How a crossing fails. What breaks is, to whoever waits, the same before and after it was done."""

    CRASH = "crash"  # the process is killed before it is done
    CRASH_AFTER = "crash_after"  # the process is killed once it is done, before anybody hears of it
    BROKEN = "broken"  # it is not done, and fails as the medium does when a line breaks
    LOST = "lost"  # it is done, and fails the same way: the answer is lost
    LATE = "late"  # it is done after a pause


def killed() -> None:
    """As the kernel, the power or an operator would have it: nothing more is done."""
    os.kill(os.getpid(), signal.SIGKILL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a fault needs: the clock for pauses, and how this process dies."""

    clock: Clock
    die: Callable[[], None] = killed


@dataclass(slots=True, kw_only=True)
class Fault:
    """One thing that goes wrong at one boundary, once: at the `at`-th crossing that is about `what`."""

    mode: Mode
    what: str
    at: int
    pause: timedelta
    around: Surroundings
    seen: int = 0

    def is_due(self, what: Collection[str]) -> bool:
        """Whether this crossing is the one."""
        if self.what and self.what not in what:
            return False
        self.seen += 1
        return self.seen == self.at


class Boundary:
    """A kind of call that leaves this process. `breaks` makes what its medium raises when a line breaks.

    Where nothing is armed a crossing costs one look at a tuple.
    """

    __slots__ = ("_breaks", "faults", "name")

    def __init__(self, name: str, *, breaks: Callable[[], Exception]) -> None:
        if name in BOUNDARIES:
            raise Invalid(f"There are two boundaries {name!a}.", code="bad_settings")
        self.name, self._breaks = name, breaks
        self.faults: tuple[Fault, ...] = ()
        BOUNDARIES[name] = self

    def through(self, call: Awaitable[T], what: Collection[str] = ()) -> Awaitable[T]:
        """`call`, which is about `what`, and fails here if that was armed."""
        return self._crossed(call, what) if self.faults else call

    def crossing(self, what: Collection[str]) -> AbstractContextManager[None]:
        """As `through`, for a block in a thread of its own."""
        return self._crossing(what) if self.faults else _CLEAR

    async def _crossed(self, call: Awaitable[T], what: Collection[str]) -> T:
        fault = self._due(what)
        if fault is None:
            return await call
        try:
            self._before(fault)
            if fault.mode is Mode.LATE:
                await fault.around.clock.sleep(fault.pause)
        except BaseException:  # border: whatever it fails with, the call is not made
            if inspect.iscoroutine(call):
                call.close()
            raise
        answer = await call
        self._after(fault)
        return answer

    @contextmanager
    def _crossing(self, what: Collection[str]) -> Generator[None]:
        fault = self._due(what)
        if fault is None:
            yield
            return
        self._before(fault)
        if fault.mode is Mode.LATE:
            asyncio.run(fault.around.clock.sleep(fault.pause))
        yield
        self._after(fault)

    def _due(self, what: Collection[str]) -> Fault | None:
        due = [fault for fault in self.faults if fault.is_due(what)]
        return due[0] if due else None

    def _before(self, fault: Fault) -> None:
        if fault.mode is Mode.CRASH:
            fault.around.die()
        elif fault.mode is Mode.BROKEN:
            raise self._breaks()

    def _after(self, fault: Fault) -> None:
        if fault.mode is Mode.CRASH_AFTER:
            fault.around.die()
        elif fault.mode is Mode.LOST:
            raise self._breaks()


BOUNDARIES: Final[dict[str, Boundary]] = {}
_ARMED: Final[list[Fault]] = []
_CLEAR: Final = nullcontext()
_ORDER: Final = re.compile(
    r"(?P<name>[a-z.]+)(/(?P<what>[\w.]+))?=(?P<mode>[a-z_]+)(:(?P<ms>\d{1,6})ms)?(@(?P<at>\d{1,6}))?"
)


def arm(orders: str, around: Surroundings | None = None) -> None:
    """Let go wrong what `orders` say, with commas between them: `name[/what]=mode[:250ms][@2]`.

    Boundaries are known once the module that declares them was imported.

    Raises:
        Invalid: if an order cannot be read, or names no boundary; nothing is armed then.
    """
    around = around or Surroundings(clock=SystemClock())
    armed = [_read(order.strip(), around) for order in orders.split(",")]
    for boundary, fault in armed:
        boundary.faults = (*boundary.faults, fault)
        _ARMED.append(fault)


def disarm() -> None:
    """Let nothing go wrong any more."""
    _ARMED.clear()
    for boundary in BOUNDARIES.values():
        boundary.faults = ()


def is_armed() -> bool:
    """Whether anything is to go wrong anywhere in this process."""
    return bool(_ARMED)


def _read(order: str, around: Surroundings) -> tuple[Boundary, Fault]:
    found = _ORDER.fullmatch(order)
    if found is None or found["mode"] not in set(Mode) or found["name"] not in BOUNDARIES:
        raise Invalid(
            f"{order!a} is no failpoint. Write `name[/what]=mode[:250ms][@2]`, with a name of "
            f"{', '.join(sorted(BOUNDARIES))} and a mode of {', '.join(Mode)}.",
            code="bad_settings",
        )
    fault = Fault(
        mode=Mode(found["mode"]),
        what=found["what"] or "",
        at=int(found["at"] or 1),
        pause=timedelta(milliseconds=int(found["ms"] or 1_000)),
        around=around,
    )
    return BOUNDARIES[found["name"]], fault
