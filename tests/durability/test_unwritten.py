"""A step's end is one commit with what follows at once, and is never lost to what comes in between."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

import pytest
from typing_extensions import override

from engine.errors import Unavailable
from engine.ids import DEFAULT_TENANT, RunId, WorkerId
from engine.services import driving, runs
from engine.store import journal
from engine.store.database import Transaction
from tests.durability import notes
from tests.durability.scene import Mortal, Scene
from tests.durability.tricks import MEANWHILE

pytestmark = pytest.mark.anyio

T = TypeVar("T")
HOUR = timedelta(hours=1)


class Closed(Mortal):
    """A store that begins nothing for whoever does not wait for it."""

    @override
    def submit(self, deed: Callable[[Transaction], T]) -> asyncio.Future[T]:
        raise Unavailable("closed")


def done(scene: Scene) -> list[str]:
    return [effect.name for effect in notes.effects(scene.folder)]


async def kinds(scene: Scene, run: RunId) -> list[str]:
    entries = await scene.database.read(lambda tx: journal.entries(tx, run))
    return [entry.kind for entry in entries]


async def writes_of(scene: Scene, workflow: str) -> int:
    """How many transactions driving the one ready run of `workflow` took."""
    claims = await scene.database.write(
        lambda tx: driving.claim(
            tx, worker=WorkerId("w"), workflows=[f"{workflow}@1"], lease_for=HOUR, limit=1
        )
    )
    counting = Mortal(scene.database)
    await scene.executor(counting).drive(claims[0])
    return counting.writes


async def test_what_the_code_goes_straight_on_to_is_one_commit_with_the_step(scene: Scene) -> None:
    run = await scene.start("straight")

    asked = await writes_of(scene, "straight")
    await scene.vote((await scene.picture(run)).approvals[0].id, "ana")
    ended = await writes_of(scene, "straight")
    await scene.deliver()

    assert (asked, ended) == (1, 1)
    assert (await kinds(scene, run))[-2:] == ["step.finished", "run.completed"]
    assert scene.violations() == []


async def test_a_step_is_durable_before_the_code_waits_for_anything_else(scene: Scene) -> None:
    run = await scene.start("lingering")
    seen: list[list[str]] = []

    async def another_deed() -> None:
        await scene.database.write(lambda tx: None)  # the code waits for the first time
        await scene.database.write(lambda tx: None)  # comes after what was written meanwhile
        seen.append(await kinds(scene, run))

    MEANWHILE["between"] = another_deed
    await scene.drive()

    assert seen[0][-1] == "step.finished"
    assert (await kinds(scene, run))[-2:] == ["step.finished", "approval.opened"]


async def test_what_a_closed_store_does_not_take_goes_with_the_next_deed(scene: Scene) -> None:
    run = await scene.start("lingering")

    async def a_while() -> None:
        await scene.database.write(lambda tx: None)

    MEANWHILE["between"] = a_while
    await scene.drive(Closed(scene.database))

    assert (await kinds(scene, run))[-2:] == ["step.finished", "approval.opened"]


async def test_a_request_that_is_refused_leaves_the_step_before_it_on_record(scene: Scene) -> None:
    run = await scene.start("correcting")

    await scene.drive()
    await scene.restart()
    await scene.vote((await scene.picture(run)).approvals[0].id, "ana")
    await scene.drive()
    await scene.deliver()

    assert done(scene) == ["first"]
    assert (await scene.picture(run)).row.status == "completed"
    assert scene.violations() == []


async def test_a_lease_that_was_lost_meanwhile_stops_the_code_at_its_next_deed(
    scene: Scene,
) -> None:
    run = await scene.start("lingering")

    async def cancelled() -> None:
        await scene.database.write(
            lambda tx: runs.cancel(tx, DEFAULT_TENANT, run, by="person:ana", reason="stop")
        )

    MEANWHILE["between"] = cancelled
    await scene.drive()

    assert "approval.opened" not in await kinds(scene, run)
    assert (await scene.picture(run)).row.status == "cancelled"
    assert scene.violations() == []
