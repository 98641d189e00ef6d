"""The gated run on DBOS: a workflow that receives a message, with the library's defaults.

Needs `dbos`. Run: python dbos_gated.py gated-runs|latency RUNS CONCURRENCY FOLDER|URL
"""

import asyncio
import sys
import uuid

from dbos import DBOS, SetWorkflowID
from measuring import closed_loop, each, latencies, report

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


async def start(number: int):
    """Start a run; its name and its handle, once it waits."""
    run, waits = uuid.uuid4().hex, asyncio.get_running_loop().create_future()
    SUSPENDED[run] = waits
    with SetWorkflowID(run):
        handle = await DBOS.start_workflow_async(gated, number)
    await waits
    return number, run, handle


async def decide(started) -> None:
    """Decide a run, and wait for its result."""
    number, run, handle = started
    await DBOS.send_async(run, "approve", "approve")
    if await handle.get_result() != number + 2:
        raise SystemExit("A run did not end as it should.")


async def one(number: int) -> None:
    """A whole run."""
    await decide(await start(number))


async def main(mode: str, runs: int, concurrency: int, where: str) -> None:
    """Measure."""
    is_shared = where.startswith("postgres")
    DBOS(
        config={
            "name": "bench",
            "system_database_url": where if is_shared else f"sqlite:///{where}/{uuid.uuid4().hex}.db",
            "log_level": "WARNING",
            "console_log_level": "WARNING",
        }
    )
    DBOS.launch()
    await each(range(20), 20, one)
    if mode == "gated-runs":
        figures = await closed_loop(runs, concurrency, one)
    else:
        figures = await latencies(runs, start, decide, pause_s=0.15)
    report("dbos", mode, "postgresql" if is_shared else "sqlite", figures)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]))
