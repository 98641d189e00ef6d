"""Steps that journal their beginning say there what their budgets keep back, and the deed is one."""

from datetime import timedelta
from typing import Any

import pytest

from engine.ids import DEFAULT_TENANT, RunId
from engine.services import auditing, budgets, runs
from engine.store.journal import Entry
from tests.engine import spenders
from tests.engine.stage import Stage
from tests.engine.test_budgets import Lost, given_budget, usage_of

pytestmark = pytest.mark.anyio


async def journal_of(stage: Stage, run: RunId) -> list[Entry]:
    return await stage.database.read(
        lambda tx: runs.entries(tx, DEFAULT_TENANT, run, after=-1, limit=1000)
    )


async def newest(stage: Stage) -> RunId:
    (run,) = await stage.database.read(lambda tx: runs.page(tx, DEFAULT_TENANT))
    return run.id


async def withheld(stage: Stage, run: RunId) -> list[Any]:
    """What each beginning says is kept back; None where it says nothing of it."""
    begun = [each for each in await journal_of(stage, run) if each.kind == "step.begun"]
    return [each.data.get("withheld") for each in begun]


async def holds(stage: Stage) -> bool:
    """Whether the record agrees with what is stored, added up anew."""
    report = await auditing.verify(stage.database, DEFAULT_TENANT, trusted=[])
    return not report.findings


async def test_where_no_budget_counts_nothing_is_said_to_be_kept_back(stage: Stage) -> None:
    await given_budget(stage, {"usd": "1.00"}, scope="workflow:another")

    run = await stage.start("loop", steps=2)

    assert await withheld(stage, run) == [None, None]
    assert await stage.is_sound(run)


async def test_a_beginning_tells_what_is_kept_back_and_no_entry_besides(stage: Stage) -> None:
    budget = await given_budget(stage, {"usd": "1.00"}, per="total")

    run = await stage.start("loop", steps=2)

    charges = [[budget, "total", "USD", 100_000, 100_000]]
    said = {"cost": {"tokens": 50, "usd": "0.10"}, "charges": charges}
    assert await withheld(stage, run) == [said, said]
    assert "budget.reserved" not in await stage.kinds(run)
    assert await stage.is_sound(run)
    assert await holds(stage)


async def test_an_attempt_lost_in_a_crash_is_kept_back_once(stage: Stage) -> None:
    budget = await given_budget(stage, {"usd": "0.30"})
    spenders.TROUBLE.append(Lost())
    with pytest.raises(BaseExceptionGroup):
        await stage.start("loop", steps=3)

    run = await newest(stage)
    is_sound_between = await holds(stage)
    await stage.pass_time(timedelta(hours=1))

    said = await withheld(stage, run)
    assert [each is not None for each in said] == [True, False, True, True]
    assert is_sound_between
    assert (await usage_of(stage, budget))["spent"] == "0.30 USD"
    assert (await usage_of(stage, budget))["reserved"] == "0.00 USD"
    assert await holds(stage)


async def test_each_attempt_asks_anew(stage: Stage) -> None:
    budget = await given_budget(stage, {"usd": "0.30", "calls": 9})
    spenders.TROUBLE.append(ConnectionError("The line broke."))

    run = await stage.start("stubborn_loop", steps=1)
    await stage.pass_time(timedelta(hours=1))

    first, second = await withheld(stage, run)
    assert (first["takes"]["steps"], second["takes"]["steps"]) == (1, 0)
    assert (await usage_of(stage, budget))["spent"] == "0.20 USD"
    assert (await usage_of(stage, budget, "calls"))["spent"] == "2 calls"
    assert (await usage_of(stage, budget))["reserved"] == "0.00 USD"
    assert await holds(stage)


async def test_a_new_budget_holds_the_next_step_of_a_run_that_goes_on(stage: Stage) -> None:
    await given_budget(stage, {"usd": "9.00"}, scope="workflow:resting_loop")
    run = await stage.start("resting_loop", steps=9)
    await stage.pass_time(timedelta(seconds=2))

    await given_budget(stage, {"usd": "0.05"}, scope="tenant")
    await stage.pass_time(timedelta(seconds=2))

    assert spenders.TILL == ["call 0", "call 1"]
    assert (await stage.picture(run)).row.status == "failed"
    assert await holds(stage)


async def test_a_budget_that_is_removed_holds_no_further_step(stage: Stage) -> None:
    await given_budget(stage, {"usd": "9.00"}, scope="workflow:resting_loop")
    other = await given_budget(stage, {"usd": "0.20"}, scope="tenant")
    run = await stage.start("resting_loop", steps=3)
    await stage.pass_time(timedelta(seconds=2))

    await stage.database.write(
        lambda tx: budgets.remove(tx, DEFAULT_TENANT, other, by="person:ana")
    )
    await stage.pass_time(timedelta(seconds=2))

    first, *_between, final = await withheld(stage, run)
    assert [len(each["charges"]) for each in (first, final)] == [2, 1]
    assert len(spenders.TILL) == 3
    assert await holds(stage)


async def test_a_step_after_the_hour_is_charged_to_the_next_one(stage: Stage) -> None:
    await given_budget(stage, {"usd": "0.10"}, per="hour")
    run = await stage.start("resting_loop", steps=2)

    await stage.pass_time(timedelta(hours=1))

    periods = [charges[1] for each in await withheld(stage, run) for charges in each["charges"]]
    assert len(set(periods)) == len(periods) == 2
    assert len(spenders.TILL) == 2
    assert await holds(stage)
