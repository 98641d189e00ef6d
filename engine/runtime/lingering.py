"""Branches that wait while others go on: they stay, and go on themselves as soon as their own wait is over."""

import asyncio
from collections import defaultdict
from collections.abc import Generator, Iterable
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from typing_extensions import override

from engine.clock import Clock
from engine.errors import Unavailable
from engine.runtime.memory import Memory
from engine.runtime.pausing import Need, Waits
from engine.services import branching
from engine.store.database import Database
from engine.store.hints import Ear
from engine.store.runs import Claim

if TYPE_CHECKING:
    from engine.store.journal import Entry

POLL_EVERY: Final = timedelta(seconds=1)
BREATH: Final = timedelta(milliseconds=50)  # between two looks at the journal, whatever happens
STILL_FOR: Final = 1.0  # seconds in which no branch is inside a deed


@dataclass(frozen=True, slots=True, eq=False)
class _Stay:
    need: Need
    is_over: asyncio.Future[bool]


class Lingering:
    """Where the branches of one drive wait for as long as any other of them goes on.

    What ends such a wait is answered to the deed that waits, as a replay would answer it. Once none goes
    on they all are sent away, and wait as rows. So they are where those that are left are inside no
    deed: these may well wait for something that a branch here has and would give back.
    """

    def __init__(self, claim: Claim, memory: Memory, database: Database, clock: Clock) -> None:
        self._claim, self._memory, self._database = claim, memory, database
        self._clock = clock
        self._going = self._deeds = self._begun = 0
        self._here: list[_Stay] = []
        self._arrived = asyncio.Event()
        self._heard: defaultdict[str, list[Entry]] = defaultdict(list)

    def begin(self, branches: int, *, in_branch: bool) -> None:
        """So many branches begin; the one in which they do goes on only behind them."""
        self._going += branches - (1 if in_branch and branches else 0)

    def end(self) -> None:
        """A branch is over."""
        self._going -= 1
        self._send_away_if_alone()

    @contextmanager
    def deed(self) -> Generator[None]:
        """Inside is a deed of a branch."""
        self._deeds, self._begun = self._deeds + 1, self._begun + 1
        try:
            yield
        finally:
            self._deeds -= 1

    async def until_over(self, waits: Waits) -> None:
        """Return once the journal says that the branch waits no longer; its memory has heard it by then.

        Raises:
            Waits: `waits`, as soon as no other branch goes on.
        """
        (need,) = waits.needs
        if not self._has_ended(need):
            self._deeds -= 1
            try:
                await self._stay(waits, need)
            finally:
                self._deeds += 1
        self._memory.learn(need.path, self._heard.pop(need.path, []))

    def send_away(self, prefix: str = "") -> None:
        """Let those whose call path begins with `prefix` stay no longer."""
        for stay in [each for each in self._here if each.need.path.startswith(prefix)]:
            self._release(stay, is_over=False)

    async def watch(self) -> None:
        """Look at the journal for as long as somebody stays, until cancelled."""
        await self._arrived.wait()
        still_since, begun = self._time(), -1
        with self._database.hints.listen(f"run:{self._claim.run.id}") as ear:
            while True:
                await self._arrived.wait()
                if self._deeds or begun != self._begun:
                    still_since, begun = self._time(), self._begun
                elif self._time() - still_since > STILL_FOR:
                    self.send_away()
                with suppress(Unavailable):
                    await self._look()
                if not self._here:
                    self._arrived.clear()
                    continue
                await ear.wait(self._at_most())
                await Ear().wait(BREATH)

    async def _stay(self, waits: Waits, need: Need) -> None:
        stay = _Stay(need, asyncio.get_running_loop().create_future())
        self._here.append(stay)
        self._arrived.set()
        self._going -= 1
        self._send_away_if_alone()
        try:
            is_over = await stay.is_over
        finally:
            if stay in self._here:  # it was cancelled
                self._here.remove(stay)
                self._going += 1
        if not is_over:
            raise waits

    def _release(self, stay: _Stay, *, is_over: bool) -> None:
        self._here.remove(stay)
        self._going += 1
        if not stay.is_over.done():
            stay.is_over.set_result(is_over)

    def _send_away_if_alone(self) -> None:
        if self._going == 0:
            self._let_go_on(stay for stay in self._here if self._has_ended(stay.need))
        if self._going == 0:
            self.send_away()

    def _let_go_on(self, stays: Iterable[_Stay]) -> None:
        for stay in list(stays):
            self._release(stay, is_over=True)

    async def _look(self) -> None:
        """Hear what the journal says that was not known here, and let those go on whose wait is over."""
        before = list(self._here)  # what these wrote themselves is in what is read now
        after = self._claim.entries[-1].position
        news = await self._database.read(lambda tx: branching.since(tx, self._claim.run.id, after))
        self._claim.entries.extend(news)
        for entry in news:
            if entry.path is not None:
                self._heard[entry.path].append(entry)
        there = (stay for stay in before if stay in self._here)
        self._let_go_on(
            stay for stay in there if self._has_ended(stay.need) or self._is_due(stay.need)
        )

    def _has_ended(self, need: Need) -> bool:
        return any(entry.kind in branching.ENDINGS for entry in self._heard.get(need.path, ()))

    def _is_due(self, need: Need) -> bool:
        return need.until is not None and need.until <= self._clock.now()

    def _at_most(self) -> timedelta:
        due = [each.need.until for each in self._here if each.need.until is not None]
        soonest = min(due) - self._clock.now() if due else POLL_EVERY
        return max(timedelta(0), min(soonest, POLL_EVERY))

    def _time(self) -> float:
        return asyncio.get_running_loop().time()


class Nowhere(Lingering):
    """Where nobody may stay: who waits, waits as rows."""

    @override
    async def until_over(self, waits: Waits) -> None:
        raise waits

    @override
    async def watch(self) -> None:
        return
