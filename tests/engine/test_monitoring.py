"""Monitors at work: what one finds is recorded and acted on once, whoever finds it and however often."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from engine.ids import DEFAULT_TENANT, PersonId, RunId
from engine.rules.monitor import Calls, Errors, Monitor, Overdue, Own, Then, Timeline, Watch
from engine.rules.states import RunStatus, WaitingReason
from engine.rules.tally import Choice
from engine.runtime.monitoring import Watcher
from engine.services import configuration, votes
from engine.services.votes import Ballot
from engine.store import deliveries
from tests.engine.flows import FAIL, LEDGER
from tests.engine.stage import Stage, cast_of_characters
from tests.engine.test_pausing import inside

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)
ANY_ERROR = Errors(more_than=0, within=HOUR)


def watcher(
    stage: Stage, watch: Watch, then: Then = Then.ALERT, workflow: str | None = None
) -> Watcher:
    monitor = Monitor(name="trouble", watch=watch, then=then, workflow=workflow, window=HOUR)
    return Watcher(stage.database, {DEFAULT_TENANT: (monitor,)})


async def in_trouble(stage: Stage) -> RunId:
    """A run whose first try failed, and which waits for the next one."""
    FAIL["once"] = 1
    return await stage.start("retrying", deed_name="once", retries=2)


async def fired(stage: Stage, run: RunId) -> int:
    return (await stage.kinds(run)).count("monitor.fired")


@pytest.mark.parametrize(
    "watch",
    [
        pytest.param(Errors(more_than=1, within=HOUR), id="at the limit"),
        pytest.param(Calls(more_than=1, within=HOUR), id="another rule"),
        pytest.param(Own(text="no", holds=lambda facts: facts["errors"] == 7), id="a condition"),
    ],
)
async def test_what_is_as_it_should_be_fires_nothing(stage: Stage, watch: Watch) -> None:
    run = await in_trouble(stage)

    assert await watcher(stage, watch).look() == 0
    assert await fired(stage, run) == 0


async def test_runs_of_other_workflows_are_not_looked_at(stage: Stage) -> None:
    await in_trouble(stage)

    assert await watcher(stage, ANY_ERROR, workflow="deploy").look() == 0


async def test_a_finding_is_acted_on_once_in_a_window_by_whomever(stage: Stage) -> None:
    run = await in_trouble(stage)

    first = await watcher(stage, ANY_ERROR).look()
    again = await watcher(stage, ANY_ERROR).look()

    assert (first, again, await fired(stage, run)) == (1, 0, 1)
    seen = (await stage.picture(run)).to_json()["monitor"]
    assert isinstance(seen, dict)
    assert (seen["calls"], seen["errors"]) == (1, 1)
    assert seen["alerts"][0]["monitor"] == "trouble"
    assert seen["recommendations"]
    assert await stage.is_sound(run)


async def test_a_run_that_waits_for_people_is_not_stuck(stage: Stage) -> None:
    await stage.start("deploy")
    await stage.clock.advance(3 * HOUR)

    timeline = Timeline(expected=timedelta(minutes=1), steps=100)

    assert await watcher(stage, timeline).look() == 0


async def test_an_approval_that_is_overdue_is_told_once_in_a_while(stage: Stage) -> None:
    run = await stage.start("deploy")
    other = await stage.start("paid-refund")
    watching = watcher(stage, Overdue(after=2 * HOUR), workflow="deploy")

    found: list[int] = []
    for _each in range(3):
        found.append(await watching.look())
        await stage.clock.advance(HOUR)
        found.append(await watching.look())
    found.append(await watching.look())

    assert found == [0, 0, 0, 0, 0, 1, 0]
    assert await fired(stage, other) == 0
    seen: Any = (await stage.picture(run)).to_json()["monitor"]
    assert seen["alerts"][0]["says"] == "An approval has been open for 3h, more than 2h."
    await stage.vote(run, "ana")
    assert await watching.look() == 0
    assert (await stage.picture(run)).row.status is RunStatus.COMPLETED
    assert await stage.is_sound(run)


async def test_what_is_found_calls_whoever_the_operators_named(stage: Stage) -> None:
    told = replace(
        cast_of_characters(), routes={"operators": {"webhook": ["pager"], "email": ["approvers"]}}
    )
    await stage.database.write(lambda tx: configuration.apply(tx, DEFAULT_TENANT, told))
    run = await in_trouble(stage)

    await watcher(stage, ANY_ERROR).look()
    await watcher(stage, ANY_ERROR).look()

    sent = await stage.database.read(
        lambda tx: deliveries.page(tx, DEFAULT_TENANT, status=None, before=None, limit=9)
    )
    assert {(each.event, each.channel, each.address) for each in sent} == {
        ("monitor.fired", "webhook", "pager"),
        ("monitor.fired", "email", "ana@example.com"),
    }
    assert len(sent) == 2
    assert await fired(stage, run) == 1


async def test_a_monitor_pauses_a_run_until_an_operator_resumes_it(stage: Stage) -> None:
    run = await in_trouble(stage)

    await watcher(stage, ANY_ERROR, Then.PAUSE).look()
    await stage.pass_time(HOUR)

    assert ((await stage.picture(run)).row.status, LEDGER) == (RunStatus.PAUSED, [])
    await stage.resume(run)
    assert LEDGER == ["once"]


@pytest.mark.parametrize(("choice", "goes_on"), [("approve", True), ("reject", False)])
async def test_a_monitor_asks_the_operators_whether_a_run_goes_on(
    stage: Stage, choice: str, goes_on: bool
) -> None:
    run = await in_trouble(stage)
    watching = watcher(stage, ANY_ERROR, Then.ASK)
    await watching.look()
    entries = (await stage.picture(run)).to_json()
    await stage.database.write(
        lambda tx: votes.cast(
            tx,
            Ballot(
                tenant=DEFAULT_TENANT, approval=asked(entries), person=PersonId("ana"),
                choice=Choice(choice), channel="web", identified_by="session",
            ),
        )
    )  # fmt: skip

    await watching.look()
    await stage.pass_time(timedelta(minutes=30))

    expected = RunStatus.COMPLETED if goes_on else RunStatus.PAUSED
    assert (await stage.picture(run)).row.status is expected
    assert await stage.is_sound(run)


async def test_where_only_its_owner_could_be_asked_a_run_is_paused_all_the_same(
    stage: Stage,
) -> None:
    FAIL["once"] = 1
    run = await stage.start_for("ana", "retrying", deed_name="once", retries=2)

    await watcher(stage, ANY_ERROR, Then.ASK).look()

    picture = await stage.picture(run)
    assert asked(picture.to_json()) == "None"
    assert picture.row.status is RunStatus.PAUSED
    assert await stage.is_sound(run)


def asked(picture: dict[str, object]) -> str:
    """The approval that the monitor asked for."""
    monitor = picture["monitor"]
    assert isinstance(monitor, dict)
    return str(monitor["alerts"][0]["approval"])


@pytest.mark.parametrize(
    "watch",
    [
        pytest.param(ANY_ERROR, id="an error"),
        pytest.param(Own(text="no", holds=lambda facts: facts["errors"] == 1), id="a condition"),
    ],
)
async def test_a_monitor_makes_a_checkpoint(stage: Stage, watch: Watch) -> None:
    run = await in_trouble(stage)

    await watcher(stage, watch, Then.CHECKPOINT).look()

    picture = await stage.picture(run)
    assert [each["name"] for each in picture.checkpoints] == ["trouble"]
    assert (picture.row.status, picture.row.reason) == (RunStatus.WAITING, WaitingReason.TIMER)
    await stage.pass_time(HOUR)
    assert LEDGER == ["once"]
    assert await stage.is_sound(run)


async def test_a_run_whose_time_is_over_gets_a_checkpoint_while_it_works(stage: Stage) -> None:
    late = Timeline(expected=timedelta(seconds=1), steps=9)

    async with inside(stage, "nothing") as run:
        early = await watcher(stage, late, Then.CHECKPOINT).look()
        await stage.clock.advance(timedelta(seconds=2))
        found = await watcher(stage, late, Then.CHECKPOINT).look()

    picture = await stage.picture(run)
    assert (early, found) == (0, 1)
    assert [each["name"] for each in picture.checkpoints] == ["trouble"]
    assert picture.row.status is RunStatus.COMPLETED
    assert await stage.is_sound(run)
