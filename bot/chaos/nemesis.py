"""The faults: processes killed, stopped past their lease and woken, PostgreSQL ended, connections cut."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from bot.chaos.checker.pages import connected
from bot.chaos.checker.violations import Frozen
from bot.chaos.children import Child
from bot.chaos.control import Control
from bot.chaos.dice import Dice
from bot.chaos.watching import Watch
from engine.clock import Clock, micros

CUT: Final = """
SELECT count(pg_terminate_backend(pid)) FROM (
    SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
    ORDER BY md5(pid::text || $1) LIMIT 6
) AS chosen
"""
AWAY: Final = (timedelta(milliseconds=50), timedelta(seconds=2))
LOOKS: Final = 10  # for a process that holds a run, before any will do
LOOK: Final = timedelta(milliseconds=50)
CUT_TRIES: Final = 150


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """How many faults of each kind, within how long."""

    worker_kills: int
    server_kills: int
    postgres_kills: int
    zombies: int
    cuts: int
    within: timedelta
    lease: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Death:
    """A process that was killed, and when."""

    who: str
    at: int


@dataclass(slots=True, kw_only=True)
class Nemesis:
    """Does each kind of fault on a line of its own, at moments drawn from the dice."""

    workers: Sequence[Child]
    servers: Sequence[Child]
    control: Control | None
    url: str
    watch: Watch
    clock: Clock
    dice: Dice
    done: Counter[str] = field(default_factory=Counter[str])
    deaths: list[Death] = field(default_factory=list[Death])
    frozen: list[Frozen] = field(default_factory=list[Frozen])
    away: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    is_over: bool = False
    _busy: set[str] = field(default_factory=set[str])
    _until: datetime | None = None

    async def run(self, wanted: Wanted) -> None:
        """Do all that is wanted; afterwards every process runs, and so does PostgreSQL."""
        lines: Mapping[str, tuple[int, Callable[[Dice], Awaitable[None]]]] = {
            "worker_kills": (wanted.worker_kills, lambda dice: self._kill(self.workers, dice)),
            "server_kills": (wanted.server_kills, lambda dice: self._kill(self.servers, dice)),
            "postgres_kills": (
                wanted.postgres_kills if self.control is not None else 0,
                self._end_postgres,
            ),
            "zombies": (-(-wanted.zombies // 2), lambda dice: self._stop(dice, wanted)),
            "more zombies": (wanted.zombies // 2, lambda dice: self._stop(dice, wanted)),
            "cuts": (wanted.cuts, self._cut),
        }
        async with asyncio.TaskGroup() as group:
            for name, (number, deed) in lines.items():
                if number:
                    group.create_task(self._line(name, number, deed, wanted.within))
        self.is_over = True

    async def _line(
        self, name: str, number: int, deed: Callable[[Dice], Awaitable[None]], within: timedelta
    ) -> None:
        dice = self.dice.of(name)
        begun = self.clock.now()
        for index in range(number):
            # Somewhere within its own share of the time, so that there is no beat in it.
            at = begun + within * (index + dice.fraction()) / number
            await self.clock.sleep_until(at)
            await deed(dice)

    async def _kill(self, those: Sequence[Child], dice: Dice) -> None:
        child = await self._chosen(those, dice)
        self._busy.add(child.name)
        at = await child.kill()
        self.deaths.append(Death(who=child.who, at=micros(at)))
        self.done["worker_kills" if child in self.workers else "server_kills"] += 1
        await child.start()
        self._busy.discard(child.name)

    async def _stop(self, dice: Dice, wanted: Wanted) -> None:
        child = await self._chosen(self.workers, dice)
        held = self.watch.held.get(child.who, 0)
        self._busy.add(child.name)
        since = child.stop()
        # Past its lease, which was renewed at the latest just before.
        await self.clock.sleep(dice.between(wanted.lease * 1.1, wanted.lease * 2))
        until = child.wake()
        self._busy.discard(child.name)
        self.frozen.append(Frozen(who=child.who, since=micros(since), until=micros(until)))
        self.done["zombies"] += 1
        self.done["zombies_with_runs"] += held > 0

    async def _end_postgres(self, dice: Dice) -> None:
        if self.control is None:
            return
        since = self.clock.now()
        end = self.control.kill if dice.chance(0.7) else self.control.stop
        await asyncio.to_thread(end)
        await self.clock.sleep(dice.between(*AWAY))
        await asyncio.to_thread(self.control.start)
        self.away.append((micros(since), micros(self.clock.now())))
        self.done["postgres_kills"] += 1

    async def _cut(self, dice: Dice) -> None:
        salt = str(dice.fraction())
        for tries in range(CUT_TRIES):
            try:
                async with connected(self.url) as connection:
                    self.done["connections_cut"] += await connection.fetchval(CUT, salt)
            except Exception:  # border: PostgreSQL itself may be away just now
                if tries == CUT_TRIES - 1:
                    raise
                await self.clock.sleep(LOOK * 4)
                continue
            self.done["cuts"] += 1
            return

    async def _chosen(self, those: Sequence[Child], dice: Dice) -> Child:
        """One that runs and holds a run if any does; a free one, waited for, otherwise."""
        looks = 0
        while True:
            free = [each for each in those if each.name not in self._busy and each.is_wanted]
            # One at least goes on working.
            free = free if len(free) > 1 or len(those) <= 2 else []
            busy = [each for each in free if self.watch.held.get(each.who)]
            if busy:
                return dice.one_of(busy)
            looks += 1
            if free and looks > LOOKS:
                return dice.one_of(free)
            await self.clock.sleep(LOOK)
