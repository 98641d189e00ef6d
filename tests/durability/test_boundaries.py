"""Whatever fails at any commit, before or after it, those who go on bring it to the same end."""

from collections import Counter
from collections.abc import Collection, Mapping
from functools import partial
from itertools import product

import pytest

from engine.failpoints import Mode
from engine.services import deliveries
from engine.store.database import Transaction
from engine.store.outbox import Delivery
from tests.durability import notes
from tests.durability.conftest import EVERY
from tests.durability.scene import LATER, Mortal, Scene
from tests.durability.tales.driven import DRIVEN
from tests.durability.tales.judged import JUDGED
from tests.durability.tales.kept import KEPT
from tests.durability.tales.operated import OPERATED
from tests.durability.tales.telling import Shaky, Story, told

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

MODES = [Mode.CRASH, Mode.CRASH_AFTER, Mode.BROKEN, Mode.LOST]
STORIES: Mapping[str, Story] = {**DRIVEN, **OPERATED, **KEPT, **JUDGED}


async def given_whole(scene: Scene, story: Story) -> tuple[object, Mapping[int, set[str]]]:
    """How the story ends when nothing fails, and which deeds are in which of its commits."""
    whole = Shaky(scene.database)
    ending = await told(scene, story, whole, 0)
    return ending, whole.deeds


async def fails_at(scene: Scene, story: Story, commits: Collection[int], ending: object) -> None:
    """Tell the story once for each of these commits and each way in which one fails."""
    for number, (mode, commit) in enumerate(product(MODES, sorted(commits)), 1):
        assert (
            await told(scene, story, Shaky(scene.database, at=commit, mode=mode), number) == ending
        )
    assert scene.violations() == []


@pytest.mark.parametrize("name", [name for name, story in STORIES.items() if story.about])
async def test_a_failure_at_the_commit_of_any_deed_changes_no_ending(
    scene: Scene, name: str
) -> None:
    story = STORIES[name]
    ending, deeds = await given_whole(scene, story)
    firsts = [min(commit for commit in deeds if deed in deeds[commit]) for deed in story.about]

    await fails_at(scene, story, set(firsts), ending)


@pytest.mark.parametrize("name", DRIVEN)
async def test_a_failure_at_any_commit_of_a_run_changes_no_ending(
    scene: Scene, name: str, pytestconfig: pytest.Config
) -> None:
    ending, deeds = await given_whole(scene, STORIES[name])
    every = int(pytestconfig.getoption("--commits", EVERY))

    await fails_at(scene, STORIES[name], sorted(deeds)[::every], ending)


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
