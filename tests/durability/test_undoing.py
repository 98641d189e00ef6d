"""A process that dies anywhere in a rollback: each undo in its order and once, and an end that is true."""

from datetime import timedelta

import pytest

from engine.ids import DEFAULT_TENANT, RunId
from engine.rules.states import RunStatus
from engine.services import rolling_back, runs
from engine.store.going_back import Order
from tests.durability import notes
from tests.durability.scene import Mortal, Scene
from tests.durability.undoing import NAMES, Mode

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

MINUTES = timedelta(minutes=10)
WRITES_MAX = 40  # no rollback of three steps writes as often


async def undone(scene: Scene, run: RunId) -> list[str]:
    """What was undone, each request id at its first time: a repeat is the same effect to its target."""
    found = [each for each in notes.effects(scene.folder) if each.request.startswith(f"{run}:")]
    return list(dict.fromkeys(each.name for each in found if each.is_undo))


async def rolls_back_dying(scene: Scene, mode: Mode, *, last: int, before: bool) -> bool:
    """Whether the process died at its `last` write; either way the rollback comes to its true end."""
    run = await scene.start("thrice", mode=mode)
    await scene.drive()
    await scene.vote((await scene.picture(run)).approvals[0].id, "dana", "reject")
    mortal = Mortal(scene.database, last=last, before=before)
    await scene.drive(mortal)
    for _attempt in range(3):
        await scene.pass_time(MINUTES)
        await scene.drive()

    picture = await scene.picture(run)
    assert picture.row.status is RunStatus.ROLLED_BACK
    assert await undone(scene, run) == [f"undo {name}" for name in reversed(NAMES)]
    assert picture.rollback is not None
    assert (picture.rollback.success, picture.rollback.left) == (True, ())
    return mortal.is_dead


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("mode", ["well", "fails", "hangs", "done all the same"])
async def test_a_rollback_survives_a_death_at_every_write(
    scene: Scene, mode: Mode, before: bool
) -> None:
    last = 1
    while await rolls_back_dying(scene, mode, last=last, before=before):
        last += 1

    assert 5 < last < WRITES_MAX
    assert scene.violations(is_quiet=False) == []


async def cancelled_and_undone(scene: Scene, run: RunId) -> list[str]:
    """What was done and undone of a run that is cancelled as it is, and rolled back."""
    order = Order(reason="Take it back.", by="person:ana")
    await scene.database.write(
        lambda tx: runs.cancel(tx, DEFAULT_TENANT, run, by="person:ana", reason="Stop.")
    )
    await scene.database.write(lambda tx: rolling_back.begin(tx, DEFAULT_TENANT, run, order))
    await scene.drive()
    return [each.name for each in notes.effects(scene.folder) if each.request.startswith(run)]


async def test_an_attempt_that_was_lost_is_undone_though_the_one_before_did_nothing(
    scene: Scene,
) -> None:
    stories: list[list[str]] = []
    for last in range(1, 9):
        run = await scene.start("late")
        await scene.drive()
        await scene.pass_time(MINUTES)
        mortal = Mortal(scene.database, last=last, before=True)
        is_dead = await scene.killed(scene.worker(mortal).drain())
        if is_dead and (await scene.picture(run)).row.status is RunStatus.RUNNING:
            stories.append(await cancelled_and_undone(scene, run))

    assert ["book", "undo book"] in stories
    assert all(story in ([], ["undo book"], ["book", "undo book"]) for story in stories)
