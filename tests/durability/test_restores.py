"""A backup taken under load, restored when the world has gone on: nothing is lost of it, and nothing is done twice."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from engine.clock import SystemClock
from engine.ids import DEFAULT_TENANT, RunId
from engine.rules.states import RunStatus, WaitingReason
from engine.services import runs
from tests.durability import notes
from tests.durability.drill import (
    File,
    Ledger,
    Place,
    Shared,
    last_moment,
    ledger,
    staged,
    twice,
    unknown,
    wrong,
)
from tests.durability.life import BEGINNING, PACE, VOTING, begin, for_ever, voting
from tests.durability.notes import Notes
from tests.durability.scene import GROUPS, Anywhere
from tests.fixtures import Postgres

pytestmark = pytest.mark.anyio

SOON = timedelta(milliseconds=20)
PATIENCE_S = 60.0
ENOUGH = 25  # effects


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "sqlite":
        return File(tmp_path)
    made: Postgres = request.getfixturevalue("postgres")
    return Shared(tmp_path, made.server, made.server.make(made.template))


@pytest.fixture
def world(tmp_path: Path) -> Notes:
    return Notes(tmp_path, SystemClock())


async def until(is_so: Callable[[], object]) -> None:
    """Return once `is_so`."""
    async with asyncio.timeout(PATIENCE_S):
        while not is_so():
            await SystemClock().sleep(SOON)


@asynccontextmanager
async def at_work(scene: Anywhere) -> AsyncGenerator[None]:
    """A worker and a dispatcher, as a server has them."""
    async with asyncio.TaskGroup() as group:
        working = [
            group.create_task(scene.worker(pace=PACE).work()),
            group.create_task(scene.dispatcher().run()),
        ]
        yield
        for task in working:
            task.cancel()


@asynccontextmanager
async def under_load(scene: Anywhere) -> AsyncGenerator[None]:
    """Runs begin all the time, and everybody votes."""
    async with at_work(scene), asyncio.TaskGroup() as group:
        people = sorted({name for names in GROUPS.values() for name in names})
        tasks = [group.create_task(for_ever(scene, begin, BEGINNING))]
        tasks += [group.create_task(for_ever(scene, voting(name), VOTING)) for name in people]
        yield
        for task in tasks:
            task.cancel()


async def let_go(scene: Anywhere, run: RunId, *, is_known: bool) -> None:
    """Do what an operator does who found out what was really done."""
    if is_known:
        await scene.database.write(
            lambda tx: runs.resume(tx, DEFAULT_TENANT, run, by="person:ana", reason="Not done.")
        )
    else:
        await scene.database.write(
            lambda tx: runs.cancel(tx, DEFAULT_TENANT, run, by="person:ana", reason="Done.")
        )


async def paid(scene: Anywhere, run: RunId, *people: str) -> None:
    """Let these people agree to the payment for which the run asks."""
    for person in people:
        approval = (await scene.picture(run)).approvals[-1].id
        await scene.vote(approval, person)
        await scene.drive()


async def test_a_payment_of_the_lost_time_is_not_made_again(place: Place, world: Notes) -> None:
    async with staged(place, world) as scene:
        run = await scene.start("shaky_refund")
        await scene.drive()
        await paid(scene, run, "ana")
        await place.back_up()
        await paid(scene, run, "bo")
    done = [effect.name for effect in notes.effects(place.folder)]
    await place.restore()

    async with staged(place, world) as scene:
        await paid(scene, run, "bo")
        await scene.deliver()
        picture = await scene.picture(run)

    assert done == ["look up", "pay"]
    assert [effect.name for effect in notes.effects(place.folder)] == done
    assert picture.approvals[-1].status == "approved"
    assert picture.row.status is RunStatus.PAUSED


async def test_whoever_was_asked_is_not_written_to_again(place: Place, world: Notes) -> None:
    async with staged(place, world) as scene:
        await scene.start("shaky_refund")
        await scene.drive()
        await place.back_up()
        await scene.deliver()
    shown = notes.messages(place.folder)
    back = await place.restore()

    async with staged(place, world) as scene:
        await scene.drive()
        await scene.deliver()

    assert len(shown) == back.restored.unsent == 3
    assert notes.messages(place.folder) == shown


@pytest.mark.slow
async def test_a_backup_taken_under_load_is_whole_and_nothing_happens_twice(
    place: Place, world: Notes
) -> None:
    async with staged(place, world) as scene, under_load(scene):
        # Of the others all may have done something by the time a slow backup is made, and none is known.
        asleep = await scene.start("shaky_nap", nap="1h")
        await until(lambda: ledger(place.folder).effects > ENOUGH)
        before = ledger(place.folder)
        await place.back_up()
        lost_from = ledger(place.folder)
        await until(lambda: ledger(place.folder).effects > lost_from.effects + ENOUGH)
    back = await place.restore()
    again, restored = ledger(place.folder), await place.book()
    cut = last_moment(restored)

    assert back.restored.held > 0
    assert wrong(restored, place.folder, until=before, again=again, cut=cut) == []
    world.life = 1
    async with staged(place, world) as scene:
        await scene.drive()
        await scene.deliver()
        assert ledger(place.folder).effects == again.effects
        assert await gone_on(scene, place, again) > 0
        assert (await scene.picture(asleep)).row.reason is WaitingReason.TIMER
    book = await place.book()
    assert wrong(book, place.folder, until=before, again=again, cut=cut) == []
    assert twice(place.folder, again=again) == []


async def gone_on(scene: Anywhere, place: Place, again: Ledger) -> int:
    """Let all go on whose every deed is known, end the others, and drive on; how many went on."""
    book = await place.book()
    doubtful = unknown(book, notes.effects(place.folder)[: again.effects])
    held = [RunId(row["id"]) for row in book.where("runs", status="paused")]
    for run in held:
        await let_go(scene, run, is_known=run not in doubtful)
    await scene.drive()
    await scene.deliver()
    return sum(run not in doubtful for run in held)
