"""The processes of the restart measurement: one that is killed while runs wait, and its successor."""

import asyncio
import json
import sys
from pathlib import Path

from bot.bench import gated
from bot.bench.ground import Ground, ground
from engine.clock import SystemClock
from engine.ids import DEFAULT_TENANT, RunId
from engine.services import approvals
from engine.store.approvals import Wanted


async def prepare(path: Path, runs: int) -> None:
    """Bring `runs` runs to wait, say so, and wait to be killed."""
    async with ground(path) as engine:
        await gated.hold(engine, runs)
        print("READY", flush=True)
        await asyncio.Event().wait()


async def recover(path: Path, began: float) -> None:
    """Decide one waiting run as soon as that is possible, and say how long after `began` it was done."""
    async with ground(path) as engine:
        run, approval = await _some_waiting(engine)
        await engine.decide(run, approval)
        took = SystemClock().now().timestamp() - began
        print(json.dumps({"first_decision_s": round(took, 3)}), flush=True)


async def _some_waiting(engine: Ground) -> tuple[RunId, str]:
    wanted = Wanted(status="open", limit=100)
    found = await engine.database.read(lambda tx: approvals.page(tx, DEFAULT_TENANT, wanted))
    chosen = found[len(found) // 2]
    return chosen.run, chosen.id


if __name__ == "__main__":
    what, file, number = sys.argv[1:]
    asyncio.run(
        prepare(Path(file), int(number))
        if what == "prepare"
        else recover(Path(file), float(number))
    )
