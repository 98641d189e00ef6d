"""Measures gated runs: how many a second, how soon after the decision, and what many steps cost."""

import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from bot.bench import flows
from bot.bench.figures import Figures, server_cpu_s, summary
from bot.bench.ground import Ground, ground
from bot.bench.lanes import each
from bot.bench.place import Place
from engine.clock import SystemClock
from engine.ids import RunId
from engine.store.measuring import server_process

WARM_UP: Final = 100
PAUSE: Final = timedelta(milliseconds=10)  # between a run's wait and its decision, as in the floors


@dataclass(frozen=True, slots=True, kw_only=True)
class Loop:
    """A closed loop: `concurrency` runs at a time, each begun when one ends."""

    runs: int
    concurrency: int


async def closed_loop(place: Place, loop: Loop) -> Figures:
    """Runs a second, and processor time, of one process that does everything."""
    async with ground(place) as engine:
        await warm_up(engine)
        before = await server_seconds(place, engine)
        used, began = time.process_time(), time.perf_counter()
        await each(range(loop.runs), loop.concurrency, lambda _index: engine.one())
        took, used = time.perf_counter() - began, time.process_time() - used
        after = await server_seconds(place, engine)
    return {
        "runs": loop.runs,
        "concurrency": loop.concurrency,
        "workers": 1,
        "runs_s": round(loop.runs / took, 1),
        "cpu_ms_run": round(used / loop.runs * 1e3, 3),
        "server_cpu_ms_run": per_run(before, after, loop.runs),
    }


async def latency(place: Place, *, probes: int) -> Figures:
    """One run at a time: from the vote to the completed run."""
    async with ground(place) as engine:
        await warm_up(engine)
        taken: list[float] = []
        for _probe in range(probes):
            run, approval = await engine.start()
            taken.append(await timed(engine, run, approval))
    return summary(taken)


async def growth(place: Place, *, steps: int, probes: int) -> Figures:
    """From the vote to the completed run, for runs of few and of many steps."""
    found: Figures = {}
    async with ground(place) as engine:
        await warm_up(engine)
        for number in sorted({10, max(10, steps // 10), steps}):
            taken: list[float] = []
            for _probe in range(probes):
                run, approval = await engine.start(flows.LONG, number=number)
                taken.append(await timed(engine, run, approval))
            found[f"steps_{number}"] = summary(taken)
    return found


async def warm_up(engine: Ground) -> None:
    """Have every statement compiled and every page in memory."""
    await each(range(WARM_UP), 10, lambda _index: engine.one())


async def timed(engine: Ground, run: RunId, approval: str) -> float:
    """The seconds from the vote to the completed run."""
    await SystemClock().sleep(PAUSE)
    began = time.perf_counter()
    await engine.decide(run, approval)
    return time.perf_counter() - began


async def server_seconds(place: Place, engine: Ground) -> float | None:
    """Processor seconds of the database's server so far, where there is one on this machine."""
    if not place.is_shared:
        return None
    return server_cpu_s(await engine.database.read(server_process))


def per_run(before: float | None, after: float | None, runs: int) -> float | None:
    """Milliseconds a run."""
    if before is None or after is None:
        return None
    return round((after - before) / runs * 1e3, 3)
