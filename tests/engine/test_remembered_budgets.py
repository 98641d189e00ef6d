"""Budgets are remembered between steps, and never for longer than they hold."""

from functools import partial

import pytest

from engine.errors import EngineError
from engine.ids import DEFAULT_TENANT, RunId
from engine.services import budgets, runs
from engine.services.budgets import Wanted
from engine.store import budget_revisions
from engine.store.applying import applying
from engine.store.database import Transaction
from engine.store.runs import NewRun
from tests.engine.stage import Stage

pytestmark = pytest.mark.anyio

PLENTY = {"usd": "9.00"}


class UndoneError(EngineError):
    """The deed is undone."""


async def given_budget(stage: Stage, limit: object, **more: object) -> str:
    wanted = Wanted(limit=limit, **more)
    made = await stage.database.write(
        lambda tx: budgets.set_budget(tx, DEFAULT_TENANT, wanted, by="person:ana")
    )
    return str(made["id"])


async def ending(stage: Stage, run: RunId) -> str:
    return (await stage.picture(run)).row.status


async def test_a_lower_limit_holds_the_next_run(stage: Stage) -> None:
    await given_budget(stage, PLENTY, scope="workflow:loop", per="run")
    before = await stage.start("loop", steps=3)

    await given_budget(stage, {"usd": "0.20"}, scope="workflow:loop", per="run")
    after = await stage.start("loop", steps=3)

    assert (await ending(stage, before), await ending(stage, after)) == ("completed", "failed")


async def test_another_budget_holds_as_soon_as_it_is_set_and_no_longer_once_removed(
    stage: Stage,
) -> None:
    await given_budget(stage, PLENTY)
    before = await stage.start("loop", steps=3)

    narrow = await given_budget(stage, {"usd": "0.10"}, scope="workflow:loop", per="run")
    held = await stage.start("loop", steps=3)
    await stage.database.write(
        lambda tx: budgets.remove(tx, DEFAULT_TENANT, narrow, by="person:ana")
    )
    after = await stage.start("loop", steps=3)

    endings = [await ending(stage, run) for run in (before, held, after)]
    assert endings == ["completed", "failed", "completed"]


async def test_one_that_was_undone_holds_nobody_though_somebody_saw_it_before(stage: Stage) -> None:
    await given_budget(stage, PLENTY)
    narrow = Wanted(limit={"usd": "0.10"}, scope="workflow:loop", per="run")

    def undone(tx: Transaction) -> None:
        budgets.set_budget(tx, DEFAULT_TENANT, narrow, by="person:ana")
        revision = budget_revisions.hold(tx, DEFAULT_TENANT)
        assert len(applying(tx, DEFAULT_TENANT, ["workflow:loop"], revision=revision)) == 1
        raise UndoneError("Nothing of this is kept.", code="undone")

    with pytest.raises(UndoneError):
        await stage.database.write(undone)
    await given_budget(stage, PLENTY, scope="workflow:loop", per="run")
    run = await stage.start("loop", steps=3)

    assert await ending(stage, run) == "completed"


async def test_a_run_is_held_by_a_budget_of_its_own_beside_the_remembered_ones(
    stage: Stage,
) -> None:
    await given_budget(stage, PLENTY)
    first, second = RunId("run_first"), RunId("run_second")
    for run in (first, second):
        new = NewRun(
            id=run,
            tenant=DEFAULT_TENANT,
            workflow="loop",
            version="1",
            input={"steps": 3},
            started_by="key:agent",
        )
        await stage.database.write(partial(runs.start, new=new))

    await given_budget(stage, {"usd": "0.10"}, scope=f"run:{first}")
    await stage.worker().drain()

    assert (await ending(stage, first), await ending(stage, second)) == ("failed", "completed")
