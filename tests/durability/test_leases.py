"""A lease belongs to its token: nobody else keeps it alive, and whoever lost it stops."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import update

from engine.ids import LeaseToken, RunId, WorkerId
from engine.runtime.pace import Pace
from engine.services import driving, tending
from engine.store.runs import Claim
from engine.store.tables import runs
from tests.durability import notes
from tests.durability.scene import LATER, Scene
from tests.durability.tricks import MEANWHILE

pytestmark = pytest.mark.anyio

LEASE = timedelta(seconds=30)
MOST = timedelta(seconds=20)  # of a lease
SOON = 10  # seconds


async def claimed(scene: Scene, worker: str) -> list[Claim]:
    return await scene.database.write(
        lambda tx: driving.claim(
            tx, worker=WorkerId(worker), workflows=["swallowing@1"], lease_for=LEASE, limit=9
        )
    )


async def renewed(scene: Scene, run: RunId, token: LeaseToken) -> set[RunId]:
    """The runs whose lease is lost."""
    return await scene.database.write(lambda tx: tending.renew(tx, {run: token}, lease_for=LEASE))


async def test_another_token_does_not_keep_a_lease_alive(scene: Scene) -> None:
    run = await scene.start("swallowing")
    await claimed(scene, "first")
    await scene.pass_time(MOST)

    lost = await renewed(scene, run, LeaseToken("lease_of_somebody_else"))
    await scene.pass_time(MOST)

    assert lost == {run}
    assert [claim.run.id for claim in await claimed(scene, "second")] == [run]


async def test_a_lease_that_is_renewed_in_time_is_given_to_nobody_else(scene: Scene) -> None:
    run = await scene.start("swallowing")
    [claim] = await claimed(scene, "first")

    for _renewal in range(3):
        await scene.pass_time(MOST)
        assert await renewed(scene, run, claim.token) == set()

    assert await claimed(scene, "second") == []


async def test_a_lease_ends_at_its_very_moment(scene: Scene) -> None:
    run = await scene.start("swallowing")
    await claimed(scene, "first")

    await scene.pass_time(LEASE - timedelta(microseconds=1))
    before = await claimed(scene, "second")
    await scene.pass_time(timedelta(microseconds=1))

    assert before == []
    assert [claim.run.id for claim in await claimed(scene, "second")] == [run]


async def test_a_worker_that_lost_a_lease_stops_driving_the_run(scene: Scene) -> None:
    run = await scene.start("swallowing")
    begun, stopped = asyncio.Event(), asyncio.Event()

    async def endless() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    MEANWHILE["first"] = endless
    worker = scene.worker(pace=Pace(lease_for=timedelta(milliseconds=30)))
    taken = update(runs).where(runs.c.id == run)
    elsewhere = taken.values(lease_token="other", lease_expires_at=scene.clock.now() + LATER)
    async with asyncio.timeout(SOON), asyncio.TaskGroup() as group:
        working = group.create_task(worker.work())
        await begun.wait()
        await scene.database.write(lambda tx: tx.connection.execute(elsewhere))
        await stopped.wait()
        working.cancel()

    assert [effect.name for effect in notes.effects(scene.folder)] == ["first"]
