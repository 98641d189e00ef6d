"""What a run comes to: its journal by kind, how much of its budget is used, and when it began and ended."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest

from engine.clock import iso
from engine.ids import DEFAULT_TENANT, RunId, SystemIds
from engine.rules.budget import percent
from engine.services import halting, runs
from engine.store.database import Transaction
from engine.store.runs import NewRun
from tests.engine.flows import FAIL
from tests.engine.stage import Stage
from tests.engine.test_budgets import DEMO, given_budget

pytestmark = pytest.mark.anyio

MINUTE = timedelta(minutes=1)


async def told(stage: Stage, run: RunId) -> Any:
    return (await stage.picture(run)).to_json()


async def begun(stage: Stage, workflow: str, **given: object) -> tuple[RunId, datetime]:
    """A run that nobody has taken up yet, and when it was started."""
    run = RunId(SystemIds().new("run"))
    new = NewRun(
        id=run, tenant=DEFAULT_TENANT, workflow=workflow, version="1", input=given,
        started_by="key:agent",
    )  # fmt: skip
    await stage.database.write(lambda tx: runs.start(tx, new))
    return run, stage.clock.now()


def kill(tx: Transaction, run: RunId) -> None:
    halting.kill(tx, DEFAULT_TENANT, run, by="person:ana", reason="Enough.")


def cancel(tx: Transaction, run: RunId) -> None:
    runs.cancel(tx, DEFAULT_TENANT, run, by="person:ana", reason="Enough.")


async def test_a_journal_is_counted_in_all_and_by_kind(stage: Stage) -> None:
    await given_budget(stage, DEMO, scope="workflow:loop", per="run")

    run = await stage.start("loop")

    seen = (await told(stage, run))["summary"]
    kinds = await stage.kinds(run)
    assert seen["entries"] == {"count": len(kinds), "kinds": dict(Counter(kinds))}
    assert (seen["entries"]["kinds"]["step.finished"], seen["steps"]) == (5, 5)
    assert (seen["entries"]["kinds"]["budget.exceeded"], seen["entries"]["count"] > 10) == (1, True)
    assert (seen["cost"], seen["tokens"]) == ("0.50 USD", 250)


async def test_how_much_of_its_budgets_is_used_is_told_with_the_run(stage: Stage) -> None:
    await given_budget(stage, DEMO, scope="workflow:loop", per="run")

    used: list[dict[str, int]] = []
    for steps in (0, 1, 3, 100):
        run = await stage.start("loop", steps=steps)
        (limit,) = (await told(stage, run))["budget"]["limits"]
        used.append({each["unit"]: each["percent"] for each in limit["usage"]})

    assert used == [
        {"usd": 0, "tokens": 0},
        {"usd": 20, "tokens": 5},
        {"usd": 60, "tokens": 15},
        {"usd": 100, "tokens": 25},
    ]
    assert [percent(spent, 1000) for spent in (0, 9, 10, 999, 1000, 1200)] == [
        0,
        0,
        1,
        99,
        100,
        120,
    ]


async def test_every_step_says_what_it_cost_and_when_in_the_journal_too(stage: Stage) -> None:
    run = await stage.start("loop", steps=3)

    entries = await stage.database.read(
        lambda tx: runs.entries(tx, DEFAULT_TENANT, run, after=-1, limit=100)
    )
    done = [each for each in entries if each.kind == "step.finished"]
    steps = (await told(stage, run))["steps"]
    assert [each.data["cost"] for each in done] == [{"usd": "0.10", "tokens": 50}] * 3
    assert {each.at for each in done} == {stage.clock.now()}
    assert [(each["cost"], each["tokens"]) for each in steps] == [("0.10 USD", 50)] * 3
    assert [each["position"] for each in steps] == sorted({each["position"] for each in steps})


async def test_a_run_says_when_it_was_made_and_when_it_began(stage: Stage) -> None:
    run, made = await begun(stage, "deploy")
    before = await told(stage, run)

    await stage.pass_time(MINUTE)

    seen = await told(stage, run)
    assert (before["status"], before["started_at"]) == ("created", None)
    assert (seen["status"], seen["created_at"]) == ("waiting", iso(made))
    assert (seen["started_at"], seen["ended_at"]) == (iso(made + MINUTE), None)


async def test_a_run_that_was_paused_before_it_began_begins_when_it_is_resumed(
    stage: Stage,
) -> None:
    run, made = await begun(stage, "deploy")
    await stage.database.write(
        lambda tx: halting.pause(tx, DEFAULT_TENANT, run, by="person:ana", reason="Look.")
    )
    await stage.pass_time(MINUTE)
    before = await told(stage, run)

    await stage.resume(run)

    assert before["started_at"] is None
    assert (await told(stage, run))["started_at"] == iso(made + MINUTE)


@pytest.mark.parametrize("end", ["completed", "rolled_back", "failed", "killed", "cancelled"])
async def test_every_end_has_its_moment_and_nothing_moves_it(stage: Stage, end: str) -> None:
    FAIL["announce"] = 9 if end == "failed" else 0
    run, made = await begun(stage, "deploy")
    await stage.pass_time(MINUTE)
    await stage.clock.advance(MINUTE)

    match end:
        case "killed":
            await stage.database.write(lambda tx: kill(tx, run))
        case "cancelled":
            await stage.database.write(lambda tx: cancel(tx, run))
        case _:
            await stage.vote(run, "dana", "reject" if end == "rolled_back" else "approve")
    await stage.pass_time(MINUTE)

    seen = await told(stage, run)
    assert (seen["status"], seen["ended_at"]) == (end, iso(made + 2 * MINUTE))
    assert seen["summary"]["duration_ms"] == 120_000
