"""The client against the real doors: what a rollback would undo, ordering one, and what became of it."""

from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI

from bot.demo.serving import served
from engine.services.keys import Scope
from engine.store.sqlite import SqliteDatabase
from signoff import Client, SignoffError
from tests.api.desk import Desk
from tests.clock import ManualClock
from tests.engine.flows import LEDGER
from tests.engine.stage import Stage

pytestmark = pytest.mark.anyio


@pytest.fixture
async def stage(desk: Desk, database: SqliteDatabase, clock: ManualClock) -> Stage:
    """A worker behind the doors; its people are the desk's own."""
    LEDGER.clear()
    return Stage(database, clock)


@pytest.fixture
async def client(app: FastAPI, desk: Desk) -> AsyncIterator[Client]:
    key = await desk.key(Scope.OPERATE, Scope.READ)
    async with served(app) as url, Client(url, key.token) as client:
        yield client


async def test_a_rollback_that_cannot_be_is_refused_with_its_code(
    stage: Stage, client: Client
) -> None:
    run = await stage.start("delicate")

    with pytest.raises(SignoffError, match="there is: booking") as kind:
        await client.rollback(run, reason="some", kinds=["flight"])
    with pytest.raises(SignoffError) as place:
        await client.rollback_plan(run, to="nowhere")

    assert (kind.value.code, place.value.code) == ("unknown_undo_kind", "unknown_checkpoint")


async def test_a_rollback_is_planned_ordered_and_reported(stage: Stage, client: Client) -> None:
    run = await stage.start("delicate")

    plan = await client.rollback_plan(run)
    await client.rollback(run, reason="some of it", kinds=["booking"])
    await stage.worker().drain()
    report = (await client.run(run)).rollback

    assert [(each.step, each.kind) for each in plan.undoes] == [
        ("last", "step"),
        ("booked", "booking"),
        ("first", "letter"),
    ]
    assert LEDGER[3:] == ["undo booked"]
    assert report is not None
    assert (report.success, report.cleanup[-1]) == (True, "undone: booked")
