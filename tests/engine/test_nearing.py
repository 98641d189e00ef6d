"""A budget that nears its limit is noticed in runs that only wait for people."""

from datetime import timedelta
from typing import Any

import pytest

from engine.ids import DEFAULT_TENANT, RunId
from engine.rules.monitor import Calls, Limit, Monitor, Then
from engine.rules.states import RunStatus
from engine.runtime.monitoring import Watcher
from engine.services import budgets
from tests.engine import spenders
from tests.engine.stage import Stage
from tests.engine.test_budgets import given_budget

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)
HALF = {"usd": "0.50"}


def watcher(
    stage: Stage, *, at: int = 80, then: Then = Then.ALERT, workflow: str | None = None
) -> Watcher:
    near = Monitor(name="near", watch=Limit(at=at), then=then, workflow=workflow, window=HOUR)
    calls = Monitor(name="calls", watch=Calls(more_than=1, within=HOUR), window=HOUR)
    return Watcher(stage.database, {DEFAULT_TENANT: (near, calls)}, spent=budgets.shares)


async def fired(stage: Stage, run: RunId) -> list[str]:
    seen: Any = (await stage.picture(run)).to_json()["monitor"]
    return [f"{each['monitor']}: {each['says']}" for each in seen["alerts"]]


@pytest.mark.parametrize(
    ("at", "steps", "workflow"), [(81, 4, None), (80, 3, None), (80, 4, "deploy")]
)
async def test_what_is_not_near_or_not_meant_fires_nothing(
    stage: Stage, at: int, steps: int, workflow: str | None
) -> None:
    spenders.TILL.clear()
    await given_budget(stage, HALF, scope="workflow:dear_question", per="day")
    run = await stage.start("dear_question", steps=steps)

    assert await watcher(stage, at=at, workflow=workflow).look() == 0
    assert await fired(stage, run) == []


@pytest.mark.parametrize("per", ["day", "run", "total"])
async def test_a_run_that_waits_for_people_is_found_once_in_a_window(
    stage: Stage, per: str
) -> None:
    spenders.TILL.clear()
    await given_budget(stage, HALF, scope="workflow:dear_question", per=per)
    run = await stage.start("dear_question")
    watching = watcher(stage)

    looks = [await watching.look(), await watching.look()]
    await stage.clock.advance(HOUR)
    looks.append(await watching.look())

    each_time = "" if per == "total" else f" per {per}"
    said = f"near: workflow:dear_question usd{each_time} is used to 80 %."
    assert looks == [1, 0, 1]
    assert await fired(stage, run) == [said] * 2
    assert await stage.is_sound(run)


async def test_whoever_was_not_charged_to_a_shared_budget_is_left_alone(stage: Stage) -> None:
    spenders.TILL.clear()
    await given_budget(stage, HALF, scope="tenant", per="day")
    spent = await stage.start("dear_question")
    idle = await stage.start("dear_question", steps=0)

    assert await watcher(stage).look() == 1
    assert (len(await fired(stage, spent)), await fired(stage, idle)) == (1, [])


async def test_a_run_above_one_that_waits_is_found_and_paused(stage: Stage) -> None:
    spenders.TILL.clear()
    await given_budget(stage, HALF, scope="workflow:dear_family", per="day")
    run = await stage.start("dear_family")

    assert await watcher(stage, then=Then.PAUSE).look() == 1

    assert (await stage.picture(run)).row.status is RunStatus.PAUSED
    assert await stage.is_sound(run)
