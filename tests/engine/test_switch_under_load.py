"""A kill switch flipped while many effects are under way: not one is dispatched behind it, and none is lost."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial

import pytest
from sqlalchemy import func, select

from engine.ids import DEFAULT_TENANT, PersonId, RunId, SystemIds
from engine.rules.states import RunStatus
from engine.services import halting, runs
from engine.store.database import Transaction
from engine.store.runs import NewRun
from engine.store.tables import journal
from signoff import Run, workflow
from tests.engine.flows import LEDGER, deed, undo
from tests.engine.stage import Stage
from tests.engine.test_switches import operator

pytestmark = pytest.mark.anyio

RUNS = 12
STEPS = 12
SECONDS_MAX = 60


@workflow(name="tests.busy")
async def busy(run: Run, name: str) -> None:
    """Many effects, each with an intent of its own."""
    for number in range(STEPS):
        await run.step(deed, f"{name}.{number}", undo=undo)


@asynccontextmanager
async def at_work(stage: Stage, *names: str) -> AsyncGenerator[None]:
    """Workers that work until the block ends."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(stage.worker(name).work()) for name in names]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()


async def until(is_so: Callable[[], Awaitable[bool]]) -> None:
    """Ask the store again and again, which lets others have their turn."""
    async with asyncio.timeout(SECONDS_MAX):
        while not await is_so():
            pass


def begin_all(tx: Transaction) -> None:
    for number in range(RUNS):
        new = NewRun(
            id=RunId(SystemIds().new("run")), tenant=DEFAULT_TENANT, workflow="tests.busy",
            version="1", input={"name": f"r{number}"}, started_by="key:agent",
        )  # fmt: skip
        runs.start(tx, new)


def dispatched(tx: Transaction) -> int:
    query = select(func.count()).where(journal.c.kind == "step.begun")
    return int(tx.connection.execute(query).scalar_one())


def engage(tx: Transaction) -> int:
    """Engage, and count within the same deed what was dispatched before it."""
    halting.engage(tx, operator(None), "everything", reason="Stop.")
    return dispatched(tx)


def release(person: str, tx: Transaction) -> None:
    halting.release(tx, operator(PersonId(person)), "everything", reason="Go.")


async def test_no_effect_is_dispatched_after_the_engaging_commit(stage: Stage) -> None:
    async def counts() -> dict[str, int]:
        return await stage.database.read(lambda tx: runs.counts(tx, DEFAULT_TENANT))

    async def some_are_done() -> bool:
        return await stage.database.read(dispatched) > RUNS

    async def all_wait() -> bool:
        return (await counts()).get(RunStatus.WAITING) == RUNS

    async def all_ended() -> bool:
        return (await counts()).get(RunStatus.COMPLETED) == RUNS

    await stage.database.write(begin_all)
    async with at_work(stage, "one", "two"):
        await until(some_are_done)
        before = await stage.database.write(engage)
        await until(all_wait)

        assert await stage.database.read(dispatched) == before == len(LEDGER) < RUNS * STEPS
        for person in ("ana", "bo"):
            await stage.database.write(partial(release, person))
        await until(all_ended)

    assert Counter(LEDGER).most_common(1)[0][1] == 1
    assert len(LEDGER) == RUNS * STEPS
