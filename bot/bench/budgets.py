"""Measures what budgets add to a step that does nothing, and to one that calls somebody: with and without, in turn."""

import time
from dataclasses import dataclass
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
CALLS_MAX: Final = 20  # of one run, for they wait
PLENTY: Final = {"usd": "900000000.00", "tokens": 10**14}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Flows:
    """A run of many steps, and a gated one."""

    stepped: str
    gated: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Amounts:
    """How much is done in a round: the steps of one run, the calls of another, and gated runs, so many at once."""

    steps: int
    calls: int
    runs: int
    concurrency: int


PLAIN: Final = _Flows(stepped=flows.STEPPED, gated=flows.WORKFLOW)
UNDER_BUDGETS: Final = _Flows(stepped=flows.STEPPED_PRICED, gated=flows.PRICED)


async def with_and_without(place: Place, *, runs: int, concurrency: int) -> Figures:
    """Milliseconds a step of one run, whose intent is committed before it, without and under two budgets;
    the same of steps that call somebody who answers after ten milliseconds; and processor milliseconds a
    gated run, of two steps that do nothing, when many go on at once.

    Told are the quickest rounds: whatever else the machine does only ever adds to one.
    """
    async with ground(place) as engine:
        await warm_up(engine)
        await _set(engine)
        count = max(1, runs // (2 * ROUNDS))
        steps = max(5, min(STEPS_MAX, count))
        calls = min(CALLS_MAX, steps)
        amounts = _Amounts(steps=steps, calls=calls, runs=count, concurrency=concurrency)
        plain: list[dict[str, float]] = []
        priced: list[dict[str, float]] = []
        for _round in range(ROUNDS):
            plain.append(await _round_of(engine, PLAIN, amounts))
            priced.append(await _round_of(engine, UNDER_BUDGETS, amounts))
    figures: Figures = {"steps": 2 * steps * ROUNDS, "runs": 2 * count * ROUNDS}
    for name in ("ms_step", "cpu_ms_step", "ms_call", "cpu_ms_call", "cpu_ms_run"):
        without, under = (min(each[name] for each in taken) for taken in (plain, priced))
        figures |= {
            f"{name}_without": round(without, 3),
            f"{name}_with": round(under, 3),
            f"{name}_ratio": round(under / without, 3),
        }
    return figures


async def _set(engine: Ground) -> None:
    for scope in ("tenant", f"workflow:{flows.PRICED}", f"workflow:{flows.STEPPED_PRICED}"):
        wanted = Wanted(scope=scope, per="day", limit=PLENTY)
        deed = partial(budgets.set_budget, tenant=DEFAULT_TENANT, wanted=wanted, by="bench")
        await engine.database.write(deed)


async def _round_of(engine: Ground, flow: _Flows, amounts: _Amounts) -> dict[str, float]:
    stepped = await _steps_of(engine, flow.stepped, amounts.steps, calls=False)
    called = await _steps_of(engine, flow.stepped, amounts.calls, calls=True)
    used = time.process_time()
    await each(range(amounts.runs), amounts.concurrency, lambda _index: engine.one(flow.gated))
    return {
        "ms_step": stepped[0],
        "cpu_ms_step": stepped[1],
        "ms_call": called[0],
        "cpu_ms_call": called[1],
        "cpu_ms_run": (time.process_time() - used) / amounts.runs * 1e3,
    }


async def _steps_of(
    engine: Ground, workflow: str, count: int, *, calls: bool
) -> tuple[float, float]:
    """Milliseconds for each step of one run, by the clock and of the processor."""
    used, began = time.process_time(), time.perf_counter()
    run, approval = await engine.start(workflow, number=count, calls=calls)
    took, spent = time.perf_counter() - began, time.process_time() - used
    await engine.decide(run, approval)
    return took / count * 1e3, spent / count * 1e3
