"""One call to the world outside that fails, and what those who made it do afterwards."""

import asyncio
import threading
from collections.abc import Awaitable, Generator
from contextlib import contextmanager
from datetime import timedelta
from typing import Final

from engine.failpoints import BOUNDARIES, Fault, Mode, Surroundings, arm, disarm
from engine.ids import DEFAULT_TENANT, RunId, SystemIds
from engine.services import runs
from engine.store.runs import NewRun
from tests.clock import ManualClock
from tests.durability.scene import Died
from tests.engine.stage import Stage

MODES: Final = tuple(Mode)
DEADLY: Final = (Mode.CRASH, Mode.CRASH_AFTER)


def _die() -> None:
    raise Died


@contextmanager
def failing(orders: str, clock: ManualClock) -> Generator[Fault]:
    """Let go wrong what `orders` say until the block ends; gives the last of the faults."""
    arm(orders, Surroundings(clock=clock, die=_die))
    name = orders.rpartition(",")[2].partition("=")[0].partition("/")[0]
    try:
        yield BOUNDARIES[name].faults[-1]
    finally:
        disarm()


async def survived(work: Awaitable[object], clock: ManualClock) -> bool:
    """Whether whoever did this lived; where somebody waits before a next try, time passes."""

    async def done() -> None:
        await work

    is_alive = True
    try:
        async with asyncio.TaskGroup() as group:
            working = group.create_task(done())
            while not (await asyncio.wait({working}, timeout=0.01))[0]:
                if clock.sleepers:
                    await clock.advance(timedelta(seconds=1))
    except* Died:
        is_alive = False
    return is_alive


async def reached(fault: Fault, clock: ManualClock) -> None:
    """Return once somebody came to where it fails; time passes for whoever waits meanwhile."""
    async with asyncio.timeout(60):
        while not fault.seen or clock.sleepers:
            await clock.advance(timedelta(seconds=1))
            await asyncio.to_thread(threading.Event().wait, 0.01)


async def started(stage: Stage, workflow: str, **given: object) -> RunId:
    """A run that nobody drives yet."""
    run = RunId(SystemIds().new("run"))
    new = NewRun(
        id=run, tenant=DEFAULT_TENANT, workflow=workflow, version="1", input=given,
        started_by="key:agent",
    )  # fmt: skip
    await stage.database.write(lambda tx: runs.start(tx, new))
    return run
