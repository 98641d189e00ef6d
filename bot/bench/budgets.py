"""Measures what budgets add to gated runs: the same run with and without them, in turn, in one process."""

import time
from functools import partial
from typing import Final

from bot.bench import flows
from bot.bench.figures import Figures
from bot.bench.gated import warm_up
from bot.bench.ground import Ground, ground
from bot.bench.lanes import each
from bot.bench.place import Place
from engine.ids import DEFAULT_TENANT
from engine.services import budgets
from engine.services.budgets import Wanted

ROUNDS: Final = 5
PLENTY: Final = {"usd": "900000000.00", "tokens": 10**14}


async def with_and_without(place: Place, *, runs: int, concurrency: int) -> Figures:
    """Processor milliseconds a run, of two steps each, without budgets and under two of them."""
    async with ground(place) as engine:
        await warm_up(engine)
        await _set(engine)
        plain: list[float] = []
        priced: list[float] = []
        count = max(1, runs // (2 * ROUNDS))
        for _round in range(ROUNDS):
            plain.append(await _timed(engine, flows.WORKFLOW, count, concurrency))
            priced.append(await _timed(engine, flows.PRICED, count, concurrency))
    without, under = sorted(plain)[ROUNDS // 2], sorted(priced)[ROUNDS // 2]
    return {
        "runs": 2 * count * ROUNDS,
        "cpu_ms_run_without": round(without, 3),
        "cpu_ms_run_with": round(under, 3),
        "ratio": round(under / without, 3),
    }


async def _set(engine: Ground) -> None:
    for scope in ("tenant", f"workflow:{flows.PRICED}"):
        wanted = Wanted(scope=scope, per="day", limit=PLENTY)
        deed = partial(budgets.set_budget, tenant=DEFAULT_TENANT, wanted=wanted, by="bench")
        await engine.database.write(deed)


async def _timed(engine: Ground, workflow: str, count: int, concurrency: int) -> float:
    used = time.process_time()
    await each(range(count), concurrency, lambda _index: engine.one(workflow))
    return (time.process_time() - used) / count * 1e3
