"""Damaged rows and odd deeds harm only themselves: the worker, the rungs and the writer go on."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import TextClause, text, update

from engine.errors import Unavailable
from engine.ids import DEFAULT_TENANT, RunId
from engine.rules.states import ApprovalStatus, RunStatus
from engine.runtime.pace import Pace
from engine.services import rungs, runs
from engine.store.database import Transaction
from engine.store.sqlite import opened
from engine.store.tables import approvals
from tests.durability.scene import LATER, Scene
from tests.triggers import TAKEN_AWAY

pytestmark = pytest.mark.anyio

SOON = timedelta(seconds=10)
BRIEFLY = timedelta(milliseconds=5)


def damaged(approval: str) -> "Damage":
    return Damage(approval)


class Damage:
    """Makes an approval's ladder unreadable, as a hand in the database might."""

    def __init__(self, approval: str) -> None:
        self._approval = approval

    def __call__(self, tx: Transaction) -> None:
        where = approvals.c.id == self._approval
        tx.connection.execute(update(approvals).where(where).values(ladder='["nonsense"]'))


def damage_by(tx: Transaction, deed: TextClause) -> None:
    for taken_away in TAKEN_AWAY:
        tx.connection.execute(text(taken_away))
    tx.connection.execute(deed)


async def becomes(scene: Scene, run: RunId, status: RunStatus) -> bool:
    """Whether the run gets there soon."""
    with scene.database.hints.listen(f"run:{run}") as ear:
        for _look in range(1_000):
            if (await scene.picture(run)).row.status is status:
                return True
            await ear.wait(BRIEFLY)
    return False


async def test_a_rung_that_cannot_fire_holds_up_no_other_and_is_tried_again(scene: Scene) -> None:
    broken, whole = await scene.start("shaky_deploy"), await scene.start("shaky_deploy")
    await scene.drive()
    approval = (await scene.picture(broken)).approvals[0].id
    ladder = text("SELECT ladder FROM approvals WHERE id = :id").bindparams(id=approval)
    before = await scene.database.read(lambda tx: tx.connection.execute(ladder).scalar_one())
    await scene.database.write(damaged(approval))

    await scene.pass_time(LATER)
    await scene.drive()
    others = (await scene.picture(whole)).row.status
    await scene.database.write(
        lambda tx: tx.connection.execute(
            update(approvals).where(approvals.c.id == approval).values(ladder=before)
        )
    )
    await scene.pass_time(timedelta(minutes=1))
    await scene.drive()

    assert others is RunStatus.ROLLED_BACK
    assert (await scene.picture(broken)).row.status is RunStatus.ROLLED_BACK


async def test_a_rung_that_cannot_do_all_it_causes_does_nothing_of_it(scene: Scene) -> None:
    run = await scene.start("shaky_deploy")
    await scene.drive()
    waits = text("UPDATE runs SET status = 'waiting', reason = 'approval'")
    damaged = text("UPDATE runs SET status = 'created', reason = NULL")
    await scene.database.write(lambda tx: tx.connection.execute(damaged))

    await scene.pass_time(LATER)
    await scene.database.write(rungs.fire_due)
    halfway = (await scene.picture(run)).approvals[0].status
    await scene.database.write(lambda tx: tx.connection.execute(waits))
    await scene.pass_time(timedelta(minutes=1))
    await scene.drive()

    assert halfway is ApprovalStatus.OPEN
    assert (await scene.picture(run)).row.status is RunStatus.ROLLED_BACK


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE runs SET input = '{' WHERE id = :run",
        "UPDATE runs SET status = 'waiting', reason = 'timer' WHERE id = :run",
        "UPDATE journal SET data = '{' WHERE run = :run",
        "UPDATE runs SET status = 'waiting', reason = 'child' WHERE id = :run",
    ],
)
async def test_a_run_that_cannot_be_read_or_begun_holds_up_no_other(
    scene: Scene, damage: str
) -> None:
    broken = await scene.start("shaky_nap")
    whole = await scene.start("shaky_nap")
    deed = text(damage).bindparams(run=broken)
    await scene.database.write(lambda tx: damage_by(tx, deed))
    worker = scene.worker(pace=Pace(poll_every=BRIEFLY))

    async with asyncio.TaskGroup() as group:
        working = group.create_task(worker.work())
        waits = await becomes(scene, whole, RunStatus.WAITING)
        is_working = not working.done()
        working.cancel()

    assert (waits, is_working) == (True, True)


@pytest.mark.parametrize("error", [StopIteration(), SystemExit(3), ValueError("odd")], ids=repr)
async def test_whatever_a_deed_raises_the_deeds_beside_it_are_answered(
    scene: Scene, error: BaseException
) -> None:
    def odd(_tx: Transaction) -> None:
        raise error

    async def alone() -> BaseException | None:
        try:
            await scene.database.write(odd)
        except BaseException as raised:  # border: this is what is tried here
            return raised
        return None

    async with asyncio.timeout(SOON.total_seconds()):
        raised, run = await asyncio.gather(alone(), scene.start("shaky_nap"))

    assert raised is error or isinstance(raised, RuntimeError)
    assert (await scene.picture(run)).row.status is RunStatus.CREATED


async def test_a_deed_that_comes_after_the_close_is_refused(scene: Scene) -> None:
    other = scene.folder / "other.db"
    async with opened(other, clock=scene.clock, ids=scene.ids, tokens=scene.tokens) as database:
        await database.write(lambda tx: runs.counts(tx, DEFAULT_TENANT))

    with pytest.raises(Unavailable, match="closed"):
        await database.write(lambda tx: runs.counts(tx, DEFAULT_TENANT))


async def test_deeds_that_wait_at_the_close_are_finished(scene: Scene) -> None:
    other = scene.folder / "other.db"
    async with opened(other, clock=scene.clock, ids=scene.ids, tokens=scene.tokens) as database:
        waiting = asyncio.gather(
            *(database.write(lambda tx: runs.counts(tx, DEFAULT_TENANT)) for _ in range(300))
        )
        await database.write(lambda tx: runs.counts(tx, DEFAULT_TENANT))

    assert await waiting == [{}] * 300
