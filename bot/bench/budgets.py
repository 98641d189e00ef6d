"""Measures what budgets add to a step: the same run with and without them, in turn, in one process."""

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

ROUNDS: Final = 9
STEPS_MAX: Final = 100  # of one run, whose time for each is told
PLENTY: Final = {"usd": "900000000.00", "tokens": 10**14}


async def with_and_without(place: Place, *, runs: int, concurrency: int) -> Figures:
    """Milliseconds a step of one run, whose intent is committed before it, without and under two budgets;
    and processor milliseconds a gated run, of two steps that do nothing, when many go on at once.
    """
    async with ground(place) as engine:
        await warm_up(engine)
        await _set(engine)
        count = max(1, runs // (2 * ROUNDS))
        steps = max(5, min(STEPS_MAX, count))
        found: dict[str, list[float]] = {"step": [], "step_priced": [], "run": [], "run_priced": []}
        for _round in range(ROUNDS):
            found["step"].append(await _a_step(engine, flows.STEPPED, steps))
            found["step_priced"].append(await _a_step(engine, flows.STEPPED_PRICED, steps))
            found["run"].append(await _a_run(engine, flows.WORKFLOW, count, concurrency))
            found["run_priced"].append(await _a_run(engine, flows.PRICED, count, concurrency))
    middle = {name: sorted(taken)[ROUNDS // 2] for name, taken in found.items()}
    return {
        "steps": 2 * steps * ROUNDS,
        "ms_step_without": round(middle["step"], 3),
        "ms_step_with": round(middle["step_priced"], 3),
        "step_ratio": round(_ratio(found["step_priced"], found["step"]), 3),
        "runs": 2 * count * ROUNDS,
        "cpu_ms_run_without": round(middle["run"], 3),
        "cpu_ms_run_with": round(middle["run_priced"], 3),
        "cpu_ratio": round(_ratio(found["run_priced"], found["run"]), 3),
    }


def _ratio(over: list[float], under: list[float]) -> float:
    """The middle of the rounds' own ratios: what else goes on the machine meets both of a round."""
    return sorted(one / other for one, other in zip(over, under, strict=True))[len(over) // 2]


async def _set(engine: Ground) -> None:
    for scope in ("tenant", f"workflow:{flows.PRICED}", f"workflow:{flows.STEPPED_PRICED}"):
        wanted = Wanted(scope=scope, per="day", limit=PLENTY)
        deed = partial(budgets.set_budget, tenant=DEFAULT_TENANT, wanted=wanted, by="bench")
        await engine.database.write(deed)


async def _a_step(engine: Ground, workflow: str, steps: int) -> float:
    began = time.perf_counter()
    run, approval = await engine.start(workflow, number=steps)
    took = time.perf_counter() - began
    await engine.decide(run, approval)
    return took / steps * 1e3


async def _a_run(engine: Ground, workflow: str, count: int, concurrency: int) -> float:
    used = time.process_time()
    await each(range(count), concurrency, lambda _index: engine.one(workflow))
    return (time.process_time() - used) / count * 1e3
