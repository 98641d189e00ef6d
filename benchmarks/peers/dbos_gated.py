"""The gated run on DBOS: a workflow that receives a message, on SQLite with the library's defaults.

Needs `dbos`. Run: python dbos_gated.py RUNS CONCURRENCY FOLDER
"""

import asyncio
import json
import os
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from dbos import DBOS, SetWorkflowID

SUSPENDED: dict[str, asyncio.Future] = {}


@DBOS.step()
async def add_one(number: int) -> int:
    """As little work as a step can do."""
    return number + 1


@DBOS.workflow()
async def gated(number: int) -> int:
    """A step, a message from outside, a step."""
    first = await add_one(number)
    SUSPENDED.pop(DBOS.workflow_id).set_result(None)
    decision = await DBOS.recv_async("approve", timeout_seconds=86_400)
    return await add_one(first) if decision == "approve" else -1


async def one(number: int) -> int:
    """Start a run, decide it once it waits, and wait for its result."""
    run, waits = uuid.uuid4().hex, asyncio.get_running_loop().create_future()
    SUSPENDED[run] = waits
    with SetWorkflowID(run):
        handle = await DBOS.start_workflow_async(gated, number)
    await waits
    await DBOS.send_async(run, "approve", "approve")
    return await handle.get_result()


async def loop(numbers: Iterator[int], concurrency: int) -> list[int]:
    """Run one after the other in each of `concurrency` lanes."""
    found: list[int] = []

    async def lane() -> None:
        for number in numbers:
            found.append(await one(number))

    await asyncio.gather(*(lane() for _lane in range(concurrency)))
    return found


async def main(runs: int, concurrency: int, folder: Path) -> None:
    """Measure a closed loop of `concurrency` runs at a time."""
    DBOS(
        config={
            "name": "bench",
            "system_database_url": f"sqlite:///{folder}/{uuid.uuid4().hex}.db",
            "log_level": "WARNING",
            "console_log_level": "WARNING",
        }
    )
    DBOS.launch()
    await loop(iter(range(20)), 20)
    used, began = time.process_time(), time.perf_counter()
    found = await loop(iter(range(runs)), concurrency)
    took, used = time.perf_counter() - began, time.process_time() - used
    if sorted(found) != [number + 2 for number in range(runs)]:
        raise SystemExit("A run did not end as it should.")
    print(
        json.dumps(
            {
                "product": "dbos",
                "runs_s": round(runs / took, 1),
                "cpu_ms_run": round(used / runs * 1e3, 2),
            }
        ),
        flush=True,
    )
    os._exit(0)  # its threads would keep the process alive


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])))
