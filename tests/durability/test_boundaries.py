"""Whatever fails at any commit, before or after it, those who go on bring it to the same end."""

from collections import Counter
from collections.abc import Mapping
from functools import partial

import pytest

from engine.failpoints import Mode
from engine.services import deliveries
from engine.store.database import Transaction
from engine.store.outbox import Delivery
from tests.durability import notes
from tests.durability.scene import LATER, Mortal, Scene
from tests.durability.stories.driven import DRIVEN
from tests.durability.stories.kept import KEPT
from tests.durability.stories.operated import OPERATED
from tests.durability.stories.telling import Shaky, Story, told

pytestmark = pytest.mark.anyio

MODES = [Mode.CRASH, Mode.CRASH_AFTER, Mode.BROKEN, Mode.LOST]
STORIES: Mapping[str, Story] = {**DRIVEN, **OPERATED, **KEPT}


async def fails_at(scene: Scene, story: Story, mode: Mode, *, everywhere: bool) -> None:
    """Tell a story whole, and then once for each commit of what it is about that fails."""
    whole = Shaky(scene.database)
    ending = await told(scene, story, whole, 0)
    reached = set[str]().union(*whole.deeds.values())
    assert set(story.about) <= reached
    first = {
        min(number for number, deeds in whole.deeds.items() if deed in deeds)
        for deed in story.about
    }

    for number in sorted(whole.deeds if everywhere else first):
        assert (
            await told(scene, story, Shaky(scene.database, at=number, mode=mode), number) == ending
        )
    assert scene.violations() == []


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", [name for name, story in STORIES.items() if story.about])
async def test_a_failure_at_the_commit_of_any_deed_changes_no_ending(
    scene: Scene, name: str, mode: Mode
) -> None:
    await fails_at(scene, STORIES[name], mode, everywhere=False)


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", STORIES)
async def test_a_failure_at_any_commit_changes_no_ending(
    scene: Scene, name: str, mode: Mode
) -> None:
    await fails_at(scene, STORIES[name], mode, everywhere=True)


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
