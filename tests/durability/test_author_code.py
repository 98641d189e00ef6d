"""What an author's code does cannot make a driver that was stopped go on, nor stop anybody else's."""

import threading
from collections.abc import Callable, Generator
from datetime import timedelta
from typing import TypeVar

import pytest
from typing_extensions import override

from engine.errors import Unavailable
from engine.ids import DEFAULT_TENANT, RunId, WorkerId
from engine.rules.states import RunStatus, WaitingReason
from engine.services import driving, runs
from engine.store.database import Transaction
from tests.durability import notes
from tests.durability.scene import Mortal, Scene
from tests.durability.tricks import MEANWHILE, MEETING, TURNED

pytestmark = pytest.mark.anyio

T = TypeVar("T")
HOUR = timedelta(hours=1)


class Away(Mortal):
    """A store that is away from its `last` write on, and takes nothing."""

    @override
    async def write(
        self, deed: Callable[[Transaction], T], *, within: timedelta | None = None
    ) -> T:
        self.writes += 1
        if self._last is not None and self.writes >= self._last:
            raise Unavailable("away")
        return await self._inner.write(deed, within=within)


@pytest.fixture(autouse=True)
def unturned() -> Generator[None]:
    yield
    TURNED.clear()
    MEANWHILE.clear()


def done(scene: Scene) -> list[str]:
    return [effect.name for effect in notes.effects(scene.folder)]


async def status(scene: Scene, run: RunId) -> str:
    row = (await scene.picture(run)).row
    return row.status + (f":{row.reason}" if row.reason else "")


async def test_code_that_catches_everything_does_nothing_more_once_its_lease_is_lost(
    scene: Scene,
) -> None:
    run = await scene.start("swallowing")

    async def cancelled() -> None:
        await scene.database.write(
            lambda tx: runs.cancel(tx, DEFAULT_TENANT, run, by="person:ana", reason="stop")
        )

    MEANWHILE["first"] = cancelled
    await scene.drive()

    assert done(scene) == ["first"]
    assert scene.violations() == []


@pytest.mark.parametrize("last", [2, 3])
async def test_code_that_catches_everything_does_nothing_more_while_the_store_is_away(
    scene: Scene, last: int
) -> None:
    run = await scene.start("swallowing")

    claims = await scene.database.write(
        lambda tx: driving.claim(
            tx, worker=WorkerId("w"), workflows=["swallowing@1"], lease_for=HOUR, limit=1
        )
    )
    await scene.executor(Away(scene.database, last=last - 1)).drive(claims[0])
    while_away = done(scene)
    await scene.restart()
    await scene.drive()

    assert while_away == ["first", "second"][: last - 1]
    assert done(scene) == [*while_away, *["first", "second"][last - 2 :]]
    assert await status(scene, run) == "completed"


async def test_code_that_changed_and_catches_the_complaint_is_stopped_all_the_same(
    scene: Scene,
) -> None:
    run = await scene.start("turning")
    await scene.drive()
    approval = (await scene.picture(run)).approvals[0].id

    TURNED.add("turning")
    await scene.vote(approval, "ana")
    await scene.drive()

    assert await status(scene, run) == "waiting:changed"
    assert done(scene) == ["first"]


async def test_code_that_changed_during_a_sleep_is_stopped_and_goes_on_once_restored(
    scene: Scene,
) -> None:
    run = await scene.start("dozing")
    await scene.drive()

    TURNED.add("dozing")
    await scene.pass_time(HOUR)
    await scene.drive()
    stopped = await status(scene, run)
    TURNED.clear()
    await scene.database.write(
        lambda tx: runs.retry(tx, DEFAULT_TENANT, run, by="person:ana", reason="restored")
    )
    await scene.drive()

    assert (stopped, await status(scene, run)) == ("waiting:changed", "completed")
    assert done(scene) == ["wake"]
    assert scene.violations() == []


async def test_code_that_breaks_when_it_wakes_fails_its_run_once(scene: Scene) -> None:
    run = await scene.start("dozing")
    await scene.drive()

    TURNED.add("broken")
    await scene.pass_time(HOUR)
    await scene.drive()

    assert await status(scene, run) == RunStatus.FAILED
    assert scene.violations() == []


async def test_steps_that_block_their_threads_do_not_wait_for_each_other(scene: Scene) -> None:
    MEETING[:] = [threading.Barrier(32, timeout=10)]  # more than a loop has threads
    started = [await scene.start("meeting") for _ in range(32)]

    await scene.drive()

    assert {await status(scene, run) for run in started} == {"completed"}


@pytest.mark.parametrize("inside", [True, False], ids=["in a step", "around one"])
@pytest.mark.parametrize("how", ["exit", "cancel"])
async def test_code_that_leaves_the_process_or_its_task_only_fails_its_run(
    scene: Scene, how: str, inside: bool
) -> None:
    run = await scene.start("escaping", how=how, inside=inside)
    other = await scene.start("shaky_nap")

    await scene.drive()

    assert await status(scene, run) == RunStatus.FAILED
    assert await status(scene, other) == f"waiting:{WaitingReason.TIMER}"


@pytest.mark.parametrize(
    ("how", "becomes"), [("group", "waiting:approval"), ("crowd", RunStatus.FAILED)]
)
async def test_a_group_of_tasks_waits_or_fails_and_harms_nobody(
    scene: Scene, how: str, becomes: str
) -> None:
    run = await scene.start("escaping", how=how)
    other = await scene.start("shaky_nap")

    await scene.drive()

    assert await status(scene, run) == becomes
    assert await status(scene, other) == "waiting:timer"


async def test_an_order_to_roll_back_cannot_be_caught(scene: Scene) -> None:
    run = await scene.start("escaping", how="swallow")
    await scene.drive()
    waiting = await status(scene, run)

    await scene.pass_time(HOUR)
    await scene.drive()

    assert (waiting, await status(scene, run)) == ("waiting:approval", RunStatus.ROLLED_BACK)


@pytest.mark.parametrize(
    ("outcomes", "undone"),
    [
        (["did nothing", "did nothing"], False),
        (["who knows", "did nothing"], True),
        (["did nothing", "who knows"], True),
        (["did it"], True),
    ],
    ids=["nothing twice", "unclear, nothing", "nothing, unclear", "done"],
)
async def test_a_step_is_undone_unless_no_attempt_can_have_done_anything(
    scene: Scene, outcomes: list[str], undone: bool
) -> None:
    run = await scene.start("uncertain", outcomes=outcomes)
    for _attempt in outcomes:
        await scene.drive()
        await scene.pass_time(HOUR)

    waiting = (await scene.picture(run)).undoes

    assert waiting == (("perhaps",) if undone else ())


async def test_a_step_whose_attempt_was_lost_is_undone_even_if_the_next_did_nothing(
    scene: Scene,
) -> None:
    run = await scene.start("uncertain", outcomes=["did nothing", "did nothing"])

    await scene.drive(Mortal(scene.database, last=6, before=True))
    for _attempt in range(2):
        await scene.pass_time(HOUR)
        await scene.drive()

    assert (await scene.picture(run)).undoes == ("perhaps",)
    assert scene.violations(is_quiet=False) == []


async def test_the_same_action_asked_again_after_its_decision_is_another_approval(
    scene: Scene,
) -> None:
    run = await scene.start("twice_the_same")
    choices = ["request_changes", "approve", "request_changes", "approve"]

    for choice in choices:
        await scene.drive()
        await scene.vote((await scene.picture(run)).approvals[-1].id, "ana", choice)
    await scene.drive()

    picture = await scene.picture(run)
    assert [each.version for each in picture.approvals] == [2, 2]
    assert picture.row.result == [each.id for each in picture.approvals]
    assert scene.violations(is_quiet=False) == []
