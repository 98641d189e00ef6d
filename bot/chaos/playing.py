"""Chaos from its beginning to its report: the load and the faults together, then quiet, then the checker."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from bot.chaos.children import Child
from bot.chaos.control import Control
from bot.chaos.dice import Dice
from bot.chaos.ground import Ground, Shape, ground
from bot.chaos.load import Load
from bot.chaos.making import Makers
from bot.chaos.nemesis import Nemesis, Wanted
from bot.chaos.operating import Operators
from bot.chaos.quiet import found, quiet
from bot.chaos.report import Report, report
from bot.chaos.watching import Watch, watching
from engine.clock import Clock

GUARD: Final = timedelta(milliseconds=500)
LEFT: Final = 10
RARER: Final = 6  # than runs: effects under receipts
CALM: Final = timedelta(seconds=2)  # of load before the first fault


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to happen. `hastens` puts the database's clock forward at the end, to wait less."""

    seed: str
    wanted: Wanted
    shape: Shape
    runs: int
    every: timedelta
    quiet_within: timedelta
    hastens: bool = False


async def play(url: str, plan: Plan, control: Control | None) -> Report:
    """Play it on the empty database at `url`.

    Raises:
        Refused: `not_empty`, if the database holds tables.
        Unavailable: if it cannot be reached.
        Fault: if a process does not begin.
    """
    dice = Dice(plan.seed)
    async with ground(url, plan.shape, dice) as it, watching(url, it.clock) as watch:
        load = Load(doors=it.doors, watch=watch, clock=it.clock, dice=dice.of("load"))
        nemesis = Nemesis(
            workers=it.workers,
            servers=it.servers,
            control=control,
            url=url,
            watch=watch,
            clock=it.clock,
            dice=dice.of("nemesis"),
        )
        operators = Operators(load=load, target=it.target, dice=dice.of("operators"))
        makers = Makers(
            bases=tuple(it.doors.bases),
            key=it.doors.key,
            target=it.target,
            clock=it.clock,
            dice=dice.of("makers"),
            tally=load.tally,
        )
        async with asyncio.TaskGroup() as group:
            beside = [
                group.create_task(_guard(it.children, it.clock)),
                group.create_task(operators.tend()),
            ]
            await _storm(plan, load, nemesis, operators, makers)
            left = await quiet(it, within=plan.quiet_within, hastens=plan.hastens)
            for each in beside:
                each.cancel()
        found_in_it = await found(it, load, nemesis)
        told = report(it, load, nemesis, plan.wanted, found_in_it)
        _note(told, plan, it, watch)
        told.shortfalls.extend(f"It did not become quiet: {each}" for each in left[:LEFT])
        return told


async def _storm(
    plan: Plan, load: Load, nemesis: Nemesis, operators: Operators, makers: Makers
) -> None:
    def enough() -> bool:
        return nemesis.is_over

    async with asyncio.TaskGroup() as all_of_it:
        all_of_it.create_task(load.run(every=plan.every, number=plan.runs, enough=enough))
        all_of_it.create_task(makers.run(every=plan.every * RARER, enough=enough))
        await load.clock.sleep(CALM)
        all_of_it.create_task(nemesis.run(plan.wanted))
        all_of_it.create_task(operators.pull(enough))


async def _guard(children: list[Child], clock: Clock) -> None:
    """Begin again whoever ended by itself; that is remembered, and told."""
    while True:
        for child in children:
            if child.has_died():
                await child.start()
        await clock.sleep(GUARD)


def _note(told: Report, plan: Plan, it: Ground, watch: Watch) -> None:
    told.line["seed"] = plan.seed
    told.line["servers"], told.line["workers"] = len(it.servers), len(it.workers)
    told.line["database_away_looks"] = watch.away
