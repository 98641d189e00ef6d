"""Budgets around runs: kept back before a step, settled after it, and never spent past."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from engine.ids import DEFAULT_TENANT, RunId
from engine.services import approvals, budgets, runs
from engine.services.approvals import Wanted as Asked
from engine.services.budgets import Wanted
from engine.services.runs import RunPicture
from tests.engine import spenders
from tests.engine.stage import Stage

pytestmark = pytest.mark.anyio

DEMO = {"usd": "0.50", "tokens": 1000}


async def given_budget(stage: Stage, limit: object, **more: object) -> str:
    wanted = Wanted(limit=limit, **more)
    made = await stage.database.write(
        lambda tx: budgets.set_budget(tx, DEFAULT_TENANT, wanted, by="person:ana")
    )
    return str(made["id"])


async def usage_of(stage: Stage, budget: str, unit: str = "usd") -> dict[str, Any]:
    found: Any = await stage.database.read(lambda tx: budgets.show(tx, DEFAULT_TENANT, budget))
    return next(dict(each) for each in found["usage"] if each["unit"] == unit)


def summary(picture: RunPicture) -> tuple[object, object]:
    told: Any = picture.to_json()["summary"]
    return told["cost"], told["tokens"]


def log_total(picture: RunPicture) -> int:
    dimes = [step.cost.get("USD", 0) for step in picture.steps]
    return sum(dimes)


async def test_a_run_stops_at_its_budget_and_not_one_step_later(stage: Stage) -> None:
    await given_budget(stage, DEMO, scope="workflow:loop", per="run")

    run = await stage.start("loop")

    seen = await stage.picture(run)
    told: Any = seen.to_json()
    assert (seen.row.status, len(spenders.TILL)) == ("failed", 5)
    assert summary(seen) == ("0.50 USD", 250)
    assert log_total(seen) == 500_000
    assert told["error"]["code"] == "budget_exceeded"
    assert (told["error"]["limit"], told["error"]["spent"]) == ("0.50 USD", "0.50 USD")
    assert [step["status"] for step in told["steps"]] == ["finished"] * 5 + ["failed"]
    assert await stage.is_sound(run)


async def test_exactly_the_limit_is_allowed(stage: Stage) -> None:
    budget = await given_budget(stage, {"usd": "0.30"}, scope="workflow:loop", per="run")

    run = await stage.start("loop", steps=3)

    assert (await stage.picture(run)).row.status == "completed"
    assert (await usage_of(stage, budget))["left"] == "0.00 USD"
    assert (await usage_of(stage, budget))["percent"] == 100


async def test_judged_afterwards_the_step_that_went_over_is_the_last(stage: Stage) -> None:
    await given_budget(stage, DEMO, scope="workflow:loop", per="run", enforce="after")

    run = await stage.start("loop")

    seen = await stage.picture(run)
    assert (seen.row.status, len(spenders.TILL)) == ("failed", 6)
    assert summary(seen) == ("0.60 USD", 300)
    assert log_total(seen) == 600_000


async def test_every_budget_above_a_run_is_charged_and_each_can_refuse(stage: Stage) -> None:
    tenant = await given_budget(stage, {"usd": "0.25"}, scope="tenant", per="month")
    workflow = await given_budget(stage, {"tokens": 1000}, scope="workflow:loop", per="day")
    agent = await given_budget(stage, {"usd": "9.00"}, scope="agent:agent", per="total")

    run = await stage.start("loop")

    error: Any = (await stage.picture(run)).row.error
    assert (error["scope"], error["per"], error["asked"]) == ("tenant", "month", "0.10 USD")
    assert (await usage_of(stage, tenant))["spent"] == "0.20 USD"
    assert (await usage_of(stage, workflow, "tokens"))["spent"] == "100 tokens"
    assert (await usage_of(stage, agent))["reserved"] == "0.00 USD"


async def test_the_code_may_take_something_cheaper(stage: Stage) -> None:
    await given_budget(stage, {"usd": "1.00"})

    run = await stage.start("frugal")
    again = await stage.picture(run)

    assert again.row.result == "5.00 USD of 1.00 USD"
    assert spenders.TILL == ["cheap"]
    assert summary(again)[0] == "0.01 USD"


async def test_what_a_step_really_cost_counts_and_by_whom_it_was_paid(stage: Stage) -> None:
    budget = await given_budget(stage, {"usd": "1.00"})

    run = await stage.start("metered_loop", usd="0.04", tokens=7)

    told: Any = (await stage.picture(run)).to_json()["summary"]
    assert (told["cost"], told["tokens"]) == ("0.12 USD", 21)
    assert told["sources"] == [
        {"source": "acme/model-0", "usd": "0.08", "tokens": 14},
        {"source": "acme/model-1", "usd": "0.04", "tokens": 7},
    ]
    assert (await usage_of(stage, budget))["spent"] == "0.12 USD"
    assert (await usage_of(stage, budget))["reserved"] == "0.00 USD"


async def test_a_step_that_cost_more_than_it_said_is_logged_and_counted(stage: Stage) -> None:
    budget = await given_budget(stage, {"usd": "0.50"})

    run = await stage.start("metered_loop", usd="0.30")

    seen = await stage.picture(run)
    assert seen.row.status == "failed"
    assert summary(seen)[0] == "0.60 USD" == (await usage_of(stage, budget))["spent"]
    assert (await stage.kinds(run)).count("budget.overrun") == 2


async def test_a_failure_costs_what_was_declared_unless_it_did_nothing(stage: Stage) -> None:
    budget = await given_budget(stage, {"usd": "0.50", "calls": 10, "steps": 10})
    spenders.TROUBLE.extend([RuntimeError("broken"), spenders.did_nothing()])

    run = await stage.start("flaky")
    await stage.pass_time(timedelta(hours=1))
    await stage.pass_time(timedelta(hours=1))

    assert (await stage.picture(run)).row.status == "completed"
    assert (await usage_of(stage, budget))["spent"] == "0.20 USD"
    assert (await usage_of(stage, budget, "calls"))["spent"] == "3 calls"
    assert (await usage_of(stage, budget, "steps"))["spent"] == "1 steps"


async def test_steps_are_counted_that_say_nothing_of_money(stage: Stage) -> None:
    await given_budget(stage, {"steps": 4}, scope="workflow:plain_loop", per="run")

    run = await stage.start("plain_loop")

    assert (await stage.picture(run)).row.status == "failed"
    assert len(spenders.TILL) == 4


@pytest.mark.parametrize(
    ("workflow", "given", "code"),
    [
        ("bad_price", {"price": 0.1}, "bad_money"),
        ("bad_price", {"price": "-1.00"}, "bad_money"),
        ("two_currencies", {}, "mixed_currencies"),
    ],
)
async def test_a_cost_that_makes_no_sense_is_refused_before_the_step(
    stage: Stage, workflow: str, given: dict[str, object], code: str
) -> None:
    run = await stage.start(workflow, **given)

    error: Any = (await stage.picture(run)).row.error
    assert error["code"] == code
    assert "euros" not in spenders.TILL
    assert "call" not in spenders.TILL


async def test_a_run_rolls_back_where_its_budget_says_so(stage: Stage) -> None:
    await given_budget(stage, {"usd": "0.20"}, then="rollback")

    run = await stage.start("loop")

    assert (await stage.picture(run)).row.status == "rolled_back"
    assert spenders.TILL[-2:] == ["undo call 1", "undo call 0"]


async def test_warnings_come_once_each(stage: Stage) -> None:
    await given_budget(stage, {"usd": "1.00"}, scope="workflow:loop", per="day")

    first = await stage.start("loop", steps=6)
    second = await stage.start("loop", steps=4)

    warned = [*await stage.kinds(first), *await stage.kinds(second)].count("budget.warned")
    assert warned == 4


async def test_a_run_without_budgets_still_tells_its_cost(stage: Stage) -> None:
    run = await stage.start("loop", steps=2)

    seen = await stage.picture(run)
    assert summary(seen) == ("0.20 USD", 100)
    assert seen.to_json()["budget"] is None
    assert "budget.reserved" not in await stage.kinds(run)


async def given_waiting(stage: Stage, **more: object) -> RunId:
    await given_budget(stage, {"usd": "0.20"}, per="run", then="wait", **more)
    return await stage.start("loop", steps=3)


async def answer(stage: Stage, run: RunId, choice: str, *, by: str = "ana") -> None:
    """Vote on the approval that the run waits for, and drive on."""
    awaited = (await stage.picture(run)).row.awaits or ""
    asked = await stage.database.read(lambda tx: approvals.picture(tx, DEFAULT_TENANT, awaited))
    await stage.vote(asked.run, by, choice)


async def test_people_may_let_a_run_spend_more(stage: Stage) -> None:
    run = await given_waiting(stage)
    waiting = await stage.picture(run)

    await answer(stage, run, "approve")

    assert (waiting.row.status, waiting.row.reason) == ("waiting", "budget")
    seen = await stage.picture(run)
    assert (seen.row.status, summary(seen)[0]) == ("completed", "0.30 USD")
    assert spenders.TILL == ["call 0", "call 1", "call 2"]
    assert await stage.is_sound(run)


async def test_what_is_spent_is_told_before_the_run_has_ended(stage: Stage) -> None:
    run = await given_waiting(stage)

    seen = await stage.picture(run)

    (budget,) = seen.budgets
    usage: Any = budget["usage"]
    assert (seen.row.ended_at, summary(seen)[0]) == (None, "0.20 USD")
    assert (usage[0]["spent"], usage[0]["left"]) == ("0.20 USD", "0.00 USD")
    assert [step.cost.get("USD") for step in seen.steps] == [100_000, 100_000, None]


@pytest.mark.parametrize("more", [{"usd": "5.00"}, {"usd": "0.10"}])
async def test_as_much_more_is_let_as_the_budget_says(
    stage: Stage, more: dict[str, object]
) -> None:
    run = await given_waiting(stage, more=more)

    await answer(stage, run, "approve")

    (budget,) = (await stage.picture(run)).budgets
    granted: Any = budget["usage"]
    assert granted[0]["granted"] == f"{more['usd']} USD"


async def test_people_may_refuse_a_run_more(stage: Stage) -> None:
    run = await given_waiting(stage)

    await answer(stage, run, "reject")

    seen = await stage.picture(run)
    assert (seen.row.status, summary(seen)[0]) == ("failed", "0.20 USD")
    assert len(spenders.TILL) == 2


async def test_where_nobody_can_be_asked_the_run_fails(stage: Stage) -> None:
    run = await given_waiting(stage, approvers="person:nobody")

    assert (await stage.picture(run)).row.status == "failed"


async def test_a_run_that_is_ended_takes_its_question_back(stage: Stage) -> None:
    run = await given_waiting(stage)
    awaited = (await stage.picture(run)).row.awaits or ""

    await stage.database.write(
        lambda tx: runs.cancel(tx, DEFAULT_TENANT, run, by="person:ana", reason="enough")
    )
    await stage.worker().drain()

    asked = await stage.database.read(lambda tx: approvals.picture(tx, DEFAULT_TENANT, awaited))
    assert asked.status == "cancelled"


async def test_many_runs_at_once_never_spend_past_a_budget(stage: Stage) -> None:
    budget = await given_budget(stage, {"usd": "2.50"})

    async with asyncio.TaskGroup() as together:
        for _each in range(16):
            together.create_task(stage.start("loop", steps=3))

    assert len(spenders.TILL) == 25
    assert (await usage_of(stage, budget))["spent"] == "2.50 USD"
    assert (await usage_of(stage, budget))["reserved"] == "0.00 USD"


async def test_what_a_killed_worker_kept_back_is_settled_by_the_next(stage: Stage) -> None:
    budget = await given_budget(stage, {"usd": "0.30"})
    spenders.TROUBLE.append(Lost())

    with pytest.raises(BaseExceptionGroup):
        await stage.start("loop", steps=3)
    kept = await usage_of(stage, budget)
    await stage.pass_time(timedelta(hours=1))

    assert (kept["reserved"], kept["spent"]) == ("0.10 USD", "0.00 USD")
    after = await usage_of(stage, budget)
    assert (after["reserved"], after["spent"]) == ("0.00 USD", "0.30 USD")


async def test_what_is_kept_back_for_a_step_counts_when_its_run_is_ended(stage: Stage) -> None:
    budget = await given_budget(stage, {"usd": "0.30"})
    spenders.TROUBLE.append(Lost())
    with pytest.raises(BaseExceptionGroup):
        await stage.start("loop", steps=3)
    (run,) = await stage.database.read(lambda tx: runs.page(tx, DEFAULT_TENANT))

    await stage.database.write(
        lambda tx: runs.cancel(tx, DEFAULT_TENANT, run.id, by="person:ana", reason="enough")
    )

    after = await usage_of(stage, budget)
    assert (after["reserved"], after["spent"]) == ("0.00 USD", "0.10 USD")
    assert summary(await stage.picture(run.id)) == ("0.10 USD", 50)


class Lost(BaseException):
    """The process is gone: nothing that follows happens."""


async def test_a_budget_begins_anew_with_its_period(stage: Stage) -> None:
    await given_budget(stage, {"usd": "0.20"}, per="day")

    first = await stage.start("loop", steps=3)
    await stage.pass_time(timedelta(days=1))
    second = await stage.start("loop", steps=2)

    assert (await stage.picture(first)).row.status == "failed"
    assert (await stage.picture(second)).row.status == "completed"


async def test_branches_spend_from_one_budget_and_ask_one_by_one(stage: Stage) -> None:
    budget = await given_budget(stage, {"usd": "0.20"}, then="wait", more={"usd": "0.20"})

    run = await stage.start("together")
    asked = await stage.database.read(lambda tx: approvals.page(tx, DEFAULT_TENANT, Asked(limit=9)))

    assert (await stage.picture(run)).row.reason == "branches"
    for each in asked:
        await stage.vote(RunId(each.run), "ana")
    seen = await stage.picture(run)
    assert (seen.row.status, summary(seen)[0]) == ("completed", "0.40 USD")
    assert (await usage_of(stage, budget))["reserved"] == "0.00 USD"
