"""Guards over trees: what stops or caps a run stops and caps whatever it started, and what that started."""

from datetime import timedelta
from typing import Any

import pytest

from engine.errors import KillSwitchTriggered
from engine.ids import DEFAULT_TENANT, RunId
from engine.rules.states import RunStatus, WaitingReason
from engine.store import switches
from tests.engine import spenders
from tests.engine.stage import Stage
from tests.engine.test_budgets import given_budget, usage_of
from tests.engine.test_children import children
from tests.engine.test_switches import HALTED, engaged, released, standing

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)


async def scope_of(stage: Stage, kind: str) -> tuple[RunId, str]:
    """The child that reads for a paper, and the scope of a switch that stands above the paper alone."""
    parent = await stage.start("paper", topics=["bees"], asks=True)
    (child,) = await children(stage, parent)
    return child, f"run:{parent}" if kind == "run" else "workflow:paper"


@pytest.mark.parametrize("kind", ["run", "workflow"])
async def test_no_child_dispatches_below_a_switch_above_its_parent(stage: Stage, kind: str) -> None:
    child, scope = await scope_of(stage, kind)
    await engaged(stage, scope)

    with pytest.raises(KillSwitchTriggered, match=scope):
        await stage.database.write(lambda tx: switches.demand_released(tx, DEFAULT_TENANT, child))
    receipt = await stage.vote(child, "ana")
    assert isinstance(receipt.refusal, KillSwitchTriggered)


@pytest.mark.parametrize("kind", ["run", "workflow"])
async def test_a_child_waits_for_the_switch_above_its_parent_and_goes_on_behind_it(
    stage: Stage, kind: str
) -> None:
    spenders.TROUBLE.append(ConnectionError("away"))
    parent = await stage.start("nagging")
    (child,) = await children(stage, parent)
    scope = f"run:{parent}" if kind == "run" else "workflow:nagging"
    await engaged(stage, scope)

    await stage.pass_time(HOUR)

    assert (await standing(stage, child), spenders.TILL) == (HALTED, ["call"])
    await released(stage, scope)
    assert (await stage.picture(parent)).row.status is RunStatus.COMPLETED
    assert spenders.TILL == ["call"] * 2
    assert await stage.is_sound(child)


async def test_a_switch_above_one_child_lets_its_parent_and_its_siblings_go_on(
    stage: Stage,
) -> None:
    parent = await stage.start("journal_issue", topics=["bees", "ants"])
    one, other = await children(stage, parent)
    await engaged(stage, f"run:{one}")

    await stage.vote(other, "ana")

    assert (await stage.picture(other)).row.status is RunStatus.COMPLETED
    assert (await standing(stage, parent))[1] is not WaitingReason.HALTED


@pytest.mark.parametrize("scope", ["workflow:estate", "workflow:household", "workflow:loop"])
async def test_what_a_tree_spends_is_charged_to_the_workflows_of_all_that_stand_above(
    stage: Stage, scope: str
) -> None:
    budget = await given_budget(stage, {"usd": "0.30"}, scope=scope, per="day")

    run = await stage.start("estate", steps=4)

    assert (await stage.picture(run)).row.status is RunStatus.FAILED
    assert (await usage_of(stage, budget))["spent"] == "0.30 USD"
    assert len(spenders.TILL) == 3


async def test_a_workflow_that_stands_above_twice_pays_once(stage: Stage) -> None:
    budget = await given_budget(stage, {"usd": "9.00"}, scope="workflow:loop", per="run")

    run = await stage.start("estate", steps=2)

    told: Any = (await stage.picture(run)).to_json()
    assert told["status"] == "completed"
    assert (await usage_of(stage, budget))["spent"] == "0.20 USD"


async def test_a_budget_of_a_child_caps_the_child(stage: Stage) -> None:
    spenders.TROUBLE.append(ConnectionError("away"))
    parent = await stage.start("nagging")
    (child,) = await children(stage, parent)
    await given_budget(stage, {"usd": "0.05"}, scope=f"run:{child}")

    await stage.pass_time(HOUR)

    assert (await stage.picture(child)).row.status is RunStatus.FAILED
    assert spenders.TILL == ["call"]
