"""A driver that dies at any commit, before or after it, is followed by one that finishes its work."""

from collections import Counter
from functools import partial

import pytest

from engine.ids import RunId
from engine.rules.states import RunStatus
from engine.services import deliveries
from engine.store.database import Transaction
from engine.store.outbox import Delivery
from tests.durability import notes
from tests.durability.scene import LATER, Mortal, Scene

pytestmark = pytest.mark.anyio

STORIES = {
    "kept": ("shaky_deploy", ["ana approve"], RunStatus.COMPLETED),
    "undone": ("shaky_deploy", ["dana reject"], RunStatus.ROLLED_BACK),
    "undone by time": ("shaky_deploy", ["time"], RunStatus.ROLLED_BACK),
    "paid": ("shaky_refund", ["ana approve", "bo approve"], RunStatus.COMPLETED),
    "rejected": ("shaky_refund", ["ana approve", "time"], RunStatus.ROLLED_BACK),
    "slept": ("shaky_nap", ["time"], RunStatus.COMPLETED),
    "asked again": (
        "shaky_rounds",
        ["ana request_changes", "bo request_changes", "chen approve"],
        RunStatus.COMPLETED,
    ),
}
LONG = {"asked again", "undone", "undone by time"}


async def told(scene: Scene, story: str, mortal: Mortal) -> RunId:
    """Tell a story whose first driver is `mortal`; whoever follows it lives."""
    workflow, events, _ending = STORIES[story]
    run = await scene.start(workflow)
    await scene.drive(mortal)
    for event in events:
        if event == "time":
            await scene.pass_time(LATER)
        else:
            person, choice = event.split()
            approval = (await scene.picture(run)).approvals[-1].id
            await scene.vote(approval, person, choice)
        await scene.drive(None if mortal.is_dead else mortal)
    return run


@pytest.mark.parametrize("before", [True, False], ids=["before the commit", "after the commit"])
@pytest.mark.parametrize(
    "story",
    [pytest.param(each, marks=[pytest.mark.slow] if each in LONG else []) for each in STORIES],
)
async def test_a_death_at_any_commit_loses_nothing_and_does_nothing_twice(
    scene: Scene, story: str, before: bool
) -> None:
    whole = Mortal(scene.database)
    await told(scene, story, whole)
    wanted = [effect.name for effect in notes.effects(scene.folder)]
    endings: set[RunStatus] = set()

    for last in whole.telling:
        mortal = Mortal(scene.database, last=last, before=before)
        run = await told(scene, story, mortal)
        endings.add((await scene.picture(run)).row.status)
        done = [each.name for each in notes.effects(scene.folder) if each.place[0] == run]
        assert list(dict.fromkeys(done)) == wanted

    await scene.deliver()
    assert endings == {STORIES[story][2]}
    assert scene.violations() == []


@pytest.mark.parametrize("before", [True, False], ids=["before the commit", "after the commit"])
async def test_a_death_between_a_send_and_its_mark_sends_the_same_again(
    scene: Scene, before: bool
) -> None:
    whole = Mortal(scene.database)
    await delivered(scene, whole)
    lives: list[int] = []

    for last in whole.telling:
        mortal = Mortal(scene.database, last=last, before=before)
        await delivered(scene, mortal)
        lives.append(scene.world.life)

    keys = Counter(each.key for each in notes.messages(scene.folder))
    assert lives == [*range(1, len(whole.telling) + 1)]
    assert max(keys.values()) in ({2} if before else {1, 2})
    assert scene.violations() == []


async def test_what_may_have_been_shown_before_a_death_is_closed_after_it(scene: Scene) -> None:
    run = await scene.start("shaky_deploy")
    await scene.drive()

    await scene.killed(scene.dispatcher(Mortal(scene.database, last=2, before=True)).drain())
    seen = [each.status for each in notes.messages(scene.folder)]
    await scene.vote((await scene.picture(run)).approvals[-1].id, "ana")
    await scene.drive()
    await scene.deliver()

    assert set(seen) == {"open"}
    assert scene.violations() == []


async def test_what_certainly_did_not_arrive_in_time_is_not_shown_when_all_is_over(
    scene: Scene,
) -> None:
    run = await scene.start("shaky_deploy")
    await scene.drive()

    claimed = await scene.database.write(
        lambda tx: deliveries.claim(tx, "email", limit=9, lease_for=LATER)
    )
    for each in claimed:
        await scene.database.write(partial(_refused, each))
    await scene.vote((await scene.picture(run)).approvals[-1].id, "ana")
    await scene.drive()
    await scene.deliver()

    assert notes.messages(scene.folder) == []


def _refused(delivery: Delivery, tx: Transaction) -> None:
    deliveries.failed(tx, delivery, "no connection", retry_at=tx.now)


async def delivered(scene: Scene, mortal: Mortal) -> None:
    """One approval, told to two people by a dispatcher that may die, and decided."""
    run = await scene.start("shaky_deploy")
    await scene.drive()
    await scene.deliver(mortal)
    await scene.vote((await scene.picture(run)).approvals[-1].id, "ana")
    await scene.drive()
    await scene.deliver(None if mortal.is_dead else mortal)
