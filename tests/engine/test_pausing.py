"""Pausing a run: what is under way is written down, nothing further begins, and it goes on from there."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from engine.errors import Conflict
from engine.ids import DEFAULT_TENANT, RunId
from engine.rules.states import RunStatus, WaitingReason
from engine.services import halting, runs
from engine.store.database import Transaction
from signoff import Run, workflow
from tests.engine.flows import FAIL, LEDGER, deed, undo
from tests.engine.stage import Stage
from tests.engine.test_switches import operator

pytestmark = pytest.mark.anyio


@dataclass
class Door:
    """Where a step of `slow` waits, so that a test can do something meanwhile."""

    entered: asyncio.Event = field(default_factory=asyncio.Event)
    opened: asyncio.Event = field(default_factory=asyncio.Event)


DOORS: list[Door] = []


async def through(name: str) -> str:
    """A step that takes as long as the test wants."""
    DOORS[-1].entered.set()
    await DOORS[-1].opened.wait()
    LEDGER.append(name)
    return name


def not_through(_result: object, name: str) -> None:
    LEDGER.append(f"undo {name}")


@workflow
async def slow(run: Run, ending: str = "step") -> str:
    """A slow step, and then one more thing."""
    await run.step(through, "slow", undo=not_through)
    match ending:
        case "step":
            await run.step(deed, "next")
        case "undoable":
            await run.step(deed, "next", undo=undo)
        case "approval":
            await run.approval("Go on?", approvers="person:ana", ladder=["reject after 1h"])
        case "sleep":
            await run.sleep("1h")
        case _:
            pass
    return "done"


async def undone_through(_result: object, name: str) -> None:
    """An undo that takes as long as the test wants, and fails as often as `FAIL` says."""
    DOORS[-1].entered.set()
    await DOORS[-1].opened.wait()
    undo(None, name)


@workflow
async def slowly_undone(run: Run) -> None:
    """Something whose undo is slow, and a rejection."""
    await run.step(deed, "slow", undo=undone_through)
    await run.approval("Keep it?", approvers="person:ana")


@asynccontextmanager
async def inside(stage: Stage, ending: str) -> AsyncGenerator[RunId]:
    """A run whose driver is inside its slow step while the block does something to it."""
    door = Door()
    DOORS.append(door)
    async with asyncio.TaskGroup() as group:
        starting = group.create_task(stage.start("slow", ending=ending))
        await door.entered.wait()
        yield RunId(await newest(stage))
        door.opened.set()
        await starting


async def newest(stage: Stage) -> str:
    page = await stage.database.read(lambda tx: runs.page(tx, DEFAULT_TENANT, limit=1))
    return page[0].id


async def paused(stage: Stage, run: RunId) -> None:
    await stage.database.write(
        lambda tx: halting.pause(tx, DEFAULT_TENANT, run, by="person:ana", reason="Look.")
    )


def engaged(tx: Transaction) -> None:
    halting.engage(tx, operator(None), "tenant", reason="Stop.")


def released(tx: Transaction) -> None:
    halting.release(tx, operator(None), "tenant", reason="Mended.")


async def test_what_has_ended_or_is_paused_is_not_paused(stage: Stage) -> None:
    ended = await stage.start("retrying", deed_name="once")
    waiting = await stage.start("deploy")
    await paused(stage, waiting)

    for run, code in ((ended, "run_ended"), (waiting, "already_paused")):
        with pytest.raises(Conflict) as refused:
            await paused(stage, run)
        assert refused.value.code == code


async def test_what_asks_for_an_operator_already_is_not_paused(stage: Stage) -> None:
    FAIL["undo smoke"] = 9
    run = await stage.start("deploy")
    await stage.vote(run, "ana", "reject")
    for _ in range(5):
        await stage.pass_time(timedelta(days=1))

    with pytest.raises(Conflict) as refused:
        await paused(stage, run)

    assert refused.value.code == "asks_for_you"


@pytest.mark.parametrize("ending", ["step", "undoable", "approval", "sleep", "nothing"])
async def test_a_driver_stops_at_its_next_deed_and_loses_nothing(stage: Stage, ending: str) -> None:
    async with inside(stage, ending) as run:
        await paused(stage, run)

    assert ((await stage.picture(run)).row.status, LEDGER) == (RunStatus.PAUSED, ["slow"])
    assert (await stage.kinds(run))[-1] == "step.finished"
    await stage.resume(run)
    row = (await stage.picture(run)).row
    assert (row.status, row.reason) == {
        "approval": (RunStatus.WAITING, WaitingReason.APPROVAL),
        "sleep": (RunStatus.WAITING, WaitingReason.TIMER),
    }.get(ending, (RunStatus.COMPLETED, None))
    assert ["slow", "next"][: 2 if ending in {"step", "undoable"} else 1] == LEDGER
    assert await stage.is_sound(run)


async def test_a_run_that_is_resumed_before_its_driver_noticed_goes_straight_on(
    stage: Stage,
) -> None:
    async with inside(stage, "step") as run:
        await paused(stage, run)
        status = await stage.database.write(
            lambda tx: runs.resume(tx, DEFAULT_TENANT, run, by="person:ana", reason="Fine.")
        )

    assert status is RunStatus.RUNNING
    assert LEDGER == ["slow", "next"]
    assert (await stage.picture(run)).row.status is RunStatus.COMPLETED


async def test_an_undo_that_fails_while_its_run_is_paused_is_not_tried_before_it_is_resumed(
    stage: Stage,
) -> None:
    run, door = await stage.start("slowly_undone"), Door()
    DOORS.append(door)
    FAIL["undo slow"] = 1
    async with asyncio.TaskGroup() as group:
        voting = group.create_task(stage.vote(run, "ana", "reject", comment="No."))
        await door.entered.wait()
        await paused(stage, run)
        door.opened.set()
        await voting

    held = (await stage.picture(run)).row
    assert (held.status, held.ready_at) == (RunStatus.PAUSED, None)
    assert (await stage.kinds(run))[-1] == "compensation.failed"
    await stage.resume(run)
    assert ((await stage.picture(run)).row.status, LEDGER) == (
        RunStatus.ROLLED_BACK,
        ["slow", "undo slow"],
    )
    assert await stage.is_sound(run)


async def test_a_driver_of_a_killed_run_begins_nothing_more(stage: Stage) -> None:
    async with inside(stage, "step") as run:
        await stage.database.write(
            lambda tx: halting.kill(tx, DEFAULT_TENANT, run, by="person:ana", reason="Stop.")
        )

    assert ((await stage.picture(run)).row.status, LEDGER) == (RunStatus.KILLED, ["slow"])


async def test_a_switch_that_is_engaged_during_a_step_lets_no_other_begin(stage: Stage) -> None:
    for ending in ("undoable", "step"):
        LEDGER.clear()
        async with inside(stage, ending) as run:
            await stage.database.write(engaged)
            if ending == "step":  # one without an intent asks what its process knows
                await stage.executors[-1].halts.refresh()

        row = (await stage.picture(run)).row
        assert ((row.status, row.reason), LEDGER) == (
            (RunStatus.WAITING, WaitingReason.HALTED),
            ["slow"],
        )
        await stage.database.write(released)
        await stage.worker().drain()
        assert LEDGER == ["slow", "next"]
