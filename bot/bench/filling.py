"""Fills a database with runs that wait: one is made by the engine, the others are its copies."""

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import Final

from bot.bench.ground import ground
from bot.bench.place import Place
from engine.ids import ApprovalId, RunId
from engine.store.copies import Copied, multiply
from engine.store.database import Database, Transaction
from engine.store.measuring import settle

BATCH: Final = 5_000
SAMPLE_MAX: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """How many wait now; `sample` are some of them, spread over all, the first made by the engine."""

    waiting: int
    sample: list[Copied]


async def fill(place: Place, waiting: int, *, deadline: str = "1d") -> Filled:
    """Let `waiting` runs more wait, that all have their deadline at the same moment."""
    every = max(1, waiting // SAMPLE_MAX)
    async with ground(place) as engine:
        run, approval = await engine.start(deadline=deadline)
        sample = [Copied(run=run, approval=ApprovalId(approval))]
        async for copied in copies(engine.database, run, waiting - 1):
            sample.extend(copied[::every])
        if place.is_shared:
            await engine.database.write(settle)
    return Filled(waiting=waiting, sample=sample)


async def copies(database: Database, run: RunId, times: int) -> AsyncGenerator[list[Copied]]:
    """Copy `run`, some at a time."""
    left = times
    while left > 0:
        size = min(left, BATCH)
        yield await database.write(_copying(run, size))
        left -= size


def _copying(run: RunId, times: int) -> Callable[[Transaction], list[Copied]]:
    return lambda tx: multiply(tx, run, times)
