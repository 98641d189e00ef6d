"""Measures gated runs: how many a second, how soon after the decision, and what waiting costs."""

import asyncio
import json
import resource
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from bot.bench.ground import Ground, ground
from engine.clock import SystemClock
from engine.ids import RunId

Item = TypeVar("Item")
Result = TypeVar("Result")

WARM_UP = 100
STARTERS = 256  # runs that are brought to wait at once


async def closed_loop(path: Path, *, runs: int, concurrency: int) -> dict[str, object]:
    """`concurrency` runs at a time, each begun when one ends: runs a second and processor time."""
    async with ground(path) as engine:
        await _each(range(WARM_UP), 10, lambda _index: _one(engine))
        used, began = time.process_time(), time.perf_counter()
        await _each(range(runs), concurrency, lambda _index: _one(engine))
        took = time.perf_counter() - began
        used = time.process_time() - used
    return {
        "mode": "gated-runs",
        "runs": runs,
        "concurrency": concurrency,
        "runs_s": round(runs / took, 1),
        "cpu_ms_run": round(used / runs * 1e3, 2),
    }


async def latency(path: Path, *, probes: int) -> dict[str, object]:
    """One run at a time: from the vote to the completed run."""
    async with ground(path) as engine:
        await _each(range(WARM_UP), 10, lambda _index: _one(engine))
        taken: list[float] = []
        for _probe in range(probes):
            run, approval = await engine.start()
            taken.append(await _timed(engine, run, approval))
    return {"mode": "latency", **_summary(taken)}


async def waiting(path: Path, *, runs: int, probes: int) -> dict[str, object]:
    """Memory and latency while `runs` runs wait for people."""
    async with ground(path) as engine:
        await _each(range(WARM_UP), 10, lambda _index: _one(engine))
        before, size = _rss_mb(), _size(path)
        began = time.perf_counter()
        held = await hold(engine, runs)
        took = time.perf_counter() - began
        after = _rss_mb()
        chosen = held[:: max(1, runs // probes)]  # spread over all that wait
        taken = [await _timed(engine, run, approval) for run, approval in chosen]
    return {
        "mode": "waiting",
        "waiting": runs,
        "starts_s": round(runs / took, 1),
        "rss_mb": round(after),
        "rss_growth_mb": round(after - before, 1),
        "disk_kb_run": round((_size(path) - size) / runs / 1e3, 2),
        "decision": _summary(taken),
    }


async def restart(path: Path, *, runs: int) -> dict[str, object]:
    """Kill a process with `runs` runs waiting, start another, and decide one of them."""
    command = [sys.executable, "-m", "bot.bench.child"]
    child = await asyncio.to_thread(_prepare, [*command, "prepare", str(path), str(runs)])
    began = SystemClock().now().timestamp()
    result = await asyncio.to_thread(
        subprocess.run,
        [*command, "recover", str(path), repr(began)],
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, object] = json.loads(result.stdout)
    return {"mode": "restart", "waiting": runs, "prepared_by": child, **found}


async def hold(engine: Ground, runs: int) -> list[tuple[RunId, str]]:
    """Start `runs` runs and leave each at its approval."""
    return await _each(range(runs), STARTERS, lambda _index: engine.start())


def _prepare(command: Sequence[str]) -> int:
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        if child.stdout is None or "READY" not in child.stdout.readline():
            raise RuntimeError("The process that was to be killed did not get ready.")
        child.kill()
        return child.pid


async def _one(engine: Ground) -> None:
    run, approval = await engine.start()
    await engine.decide(run, approval)


async def _timed(engine: Ground, run: RunId, approval: str) -> float:
    began = time.perf_counter()
    await engine.decide(run, approval)
    return time.perf_counter() - began


async def _each(
    items: Iterable[Item], concurrency: int, do: Callable[[Item], Awaitable[Result]]
) -> list[Result]:
    """Do each of `items`, `concurrency` at a time."""
    left, done = iter(items), list[Result]()

    async def one_after_the_other() -> None:
        for item in left:
            done.append(await do(item))

    async with asyncio.TaskGroup() as group:
        for _lane in range(concurrency):
            group.create_task(one_after_the_other())
    return done


def _size(path: Path) -> int:
    return path.stat().st_size


def _rss_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def _summary(taken: Sequence[float]) -> dict[str, object]:
    ordered = sorted(taken)

    def at(share: float) -> float:
        return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1e3, 2)

    return {"probes": len(ordered), "p50_ms": at(0.5), "p99_ms": at(0.99), "max_ms": at(1.0)}
