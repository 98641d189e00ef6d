"""What the peers' scripts share: a closed loop, a tail, and the one line of JSON that they print."""

import asyncio
import json
import os
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence


def cpu_s() -> float:
    """Processor seconds of this process so far."""
    used = os.times()
    return used.user + used.system


def summary(taken: Sequence[float]) -> dict[str, object]:
    """The median and the tail, in milliseconds."""
    ordered = sorted(taken)

    def at(share: float) -> float:
        return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1e3, 2)

    return {"probes": len(ordered), "p50_ms": at(0.5), "p99_ms": at(0.99), "max_ms": at(1.0)}


async def each(items: Iterable[int], lanes: int, do: Callable[[int], Awaitable[object]]) -> list:
    """Do each of `items`, `lanes` at a time."""
    left, found = iter(items), []

    async def lane() -> None:
        for item in left:
            found.append(await do(item))

    await asyncio.gather(*(lane() for _lane in range(lanes)))
    return found


async def closed_loop(
    runs: int, lanes: int, one: Callable[[int], Awaitable[object]]
) -> dict[str, object]:
    """Runs a second and processor time."""
    used, began = cpu_s(), time.perf_counter()
    await each(range(runs), lanes, one)
    took, used = time.perf_counter() - began, cpu_s() - used
    return {"runs_s": round(runs / took, 1), "cpu_ms_run": round(used / runs * 1e3, 3)}


async def latencies(
    probes: int,
    start: Callable[[int], Awaitable[object]],
    decide: Callable[[object], Awaitable[object]],
    *,
    pause_s: float = 0.02,
) -> dict[str, object]:
    """From the decision to the completed run, one run at a time; `start` gives what `decide` takes."""
    taken = []
    for probe in range(probes):
        waits = await start(probe)
        await asyncio.sleep(pause_s)
        began = time.perf_counter()
        await decide(waits)
        taken.append(time.perf_counter() - began)
    return summary(taken)


def report(product: str, mode: str, database: str, figures: dict[str, object]) -> None:
    """Print the line, and end at once: threads of libraries would keep the process alive."""
    print(json.dumps({"product": product, "mode": mode, "database": database, **figures}), flush=True)
    os._exit(0)
