"""Going back: to any checkpoint, by people or operators, and then ending or going on, with nothing deleted."""

from typing import Any

import pytest

from engine.errors import Conflict, Invalid
from engine.ids import DEFAULT_TENANT, RunId
from engine.rules.states import RunStatus
from engine.services import rolling_back
from engine.services.rolling_back import Order, Plan
from tests.engine.flows import FAIL, LEDGER
from tests.engine.stage import Stage
from tests.engine.undoing import BOTH

pytestmark = pytest.mark.anyio


async def rolled(stage: Stage, run: RunId, **said: Any) -> None:
    """An operator's rollback, driven as far as it goes."""
    order = Order(by="person:ana", **{"reason": "a better idea", **said})
    await stage.database.write(lambda tx: rolling_back.begin(tx, DEFAULT_TENANT, run, order))
    await stage.worker().drain()


async def plan(stage: Stage, run: RunId, to: str | None = None) -> Plan:
    """What a rollback would do."""
    return await stage.database.read(lambda tx: rolling_back.plan(tx, DEFAULT_TENANT, run, to=to))


async def given_shipped(stage: Stage, **terms: object) -> RunId:
    """The first stage is approved, and the second waits."""
    run = await stage.start("staged", **terms)
    await stage.vote(run, "ana")
    return run


async def test_a_run_that_ended_well_is_not_rolled_back(stage: Stage) -> None:
    run = await given_shipped(stage)
    await stage.vote(run, "ana")

    with pytest.raises(Conflict, match="completed; what it did stays"):
        await rolled(stage, run)


async def test_an_unknown_checkpoint_is_refused_naming_those_there_are(stage: Stage) -> None:
    run = await given_shipped(stage)

    with pytest.raises(
        Invalid, match=r"no checkpoint 'nowhere'; it has: before build, before ship"
    ):
        await rolled(stage, run, to="nowhere")

    assert (await stage.picture(run)).row.status is RunStatus.WAITING


async def test_what_would_be_done_again_is_not_left_as_it_is(stage: Stage) -> None:
    run = await given_shipped(stage)

    with pytest.raises(Invalid, match="would be done again"):
        await rolled(stage, run, mode="resume", only=("ship",))
    with pytest.raises(Invalid, match="No step 'build' can be undone there; these can: ship"):
        await rolled(stage, run, only=("build",), to="before ship")


@pytest.mark.parametrize(
    ("to", "undone"),
    [
        pytest.param(None, ["undo ship", "undo build"], id="the last approved one by default"),
        pytest.param("latest", ["undo ship"], id="the latest"),
        pytest.param("before ship", ["undo ship"], id="by name"),
        pytest.param("before build", ["undo ship", "undo build"], id="any other by name"),
        pytest.param("start", ["undo ship", "undo build"], id="the start"),
    ],
)
async def test_a_run_goes_back_to_any_place(
    stage: Stage, to: str | None, undone: list[str]
) -> None:
    run = await given_shipped(stage)
    planned = await plan(stage, run, to)

    await rolled(stage, run, to=to)

    picture = await stage.picture(run)
    assert [f"undo {undo.step}" for undo in planned.undoes] == undone
    assert [*BOTH, *undone] == LEDGER
    assert picture.row.status is RunStatus.ROLLED_BACK
    assert [each.status for each in picture.approvals] == ["approved", "cancelled"]
    kinds = await stage.kinds(run)
    assert kinds.index("rollback.started") < kinds.index("compensation.finished")
    assert kinds[-1] == "run.rolled_back"
    assert await stage.is_sound(run)


async def test_the_plan_says_what_stays_and_why(stage: Stage) -> None:
    run = await given_shipped(stage)

    found = await plan(stage, run, "latest")

    assert found.to.name == "before ship"
    assert [(each.step, each.why) for each in found.stays] == [
        ("build", "was done before before ship")
    ]
    assert [each.step for each in (await plan(stage, run)).stays] == ["prepare ship"]


async def test_only_the_named_steps_are_undone(stage: Stage) -> None:
    run = await given_shipped(stage)

    await rolled(stage, run, only=("build",))

    assert [*BOTH, "undo build"] == LEDGER
    assert (await stage.picture(run)).row.status is RunStatus.ROLLED_BACK


async def test_a_rejected_run_goes_on_from_its_checkpoint_with_the_reason(stage: Stage) -> None:
    run = await given_shipped(stage, on_reject="resume", back_to="latest")

    await stage.vote(run, "dana", "reject", comment="ship it slower")
    again = await stage.picture(run)
    await stage.vote(run, "ana")

    said = "“Keep ship?” was rejected by Dana: ship it slower."
    assert [each.status for each in again.approvals] == ["approved", "rejected", "open"]
    assert [*BOTH, "undo ship", "ship"] == LEDGER
    picture = await stage.picture(run)
    assert picture.row.status is RunStatus.COMPLETED
    assert (
        picture.row.result == BOTH
    )  # what stays answers as it did, before anybody told it anything
    assert said in str(picture.rollback)
    assert await stage.is_sound(run)


async def test_the_reason_is_told_where_the_code_goes_on(stage: Stage) -> None:
    run = await given_shipped(stage, on_reject="resume")

    await stage.vote(run, "dana", "reject", comment="no")
    for _stage in ("build", "ship"):
        await stage.vote(run, "ana")

    result = (await stage.picture(run)).row.result
    assert [*BOTH, "undo ship", "undo build", "build", "prepare ship", "ship"] == LEDGER
    assert result[2] == "told “Keep ship?” was rejected by Dana: no."


async def test_it_goes_back_and_on_only_so_often(stage: Stage) -> None:
    run = await given_shipped(stage, on_reject="resume", back_to="latest")

    for _time in range(3):
        await stage.vote(run, "dana", "reject", comment="no")

    assert (await stage.picture(run)).row.status is RunStatus.ROLLED_BACK
    assert [*BOTH, *["undo ship", "ship"] * 2, "undo ship"] == LEDGER
    assert await stage.is_sound(run)


async def test_an_operator_may_send_a_run_back_and_on_again_and_again(stage: Stage) -> None:
    run = await given_shipped(stage)

    for to in ("before ship", "start", "before build", "latest"):
        await rolled(stage, run, to=to, mode="resume")

    picture = await stage.picture(run)
    assert picture.row.status is RunStatus.WAITING
    assert picture.approvals[-1].title == "Keep build?"
    assert len({each.id for each in picture.approvals}) == len(picture.approvals)
    assert await stage.is_sound(run)


async def test_a_failed_run_is_undone_by_itself_where_its_workflow_says_so(stage: Stage) -> None:
    FAIL["fragile"] = 1

    run = await stage.start("fragile-undone")

    row = (await stage.picture(run)).row
    assert LEDGER == ["first", "undo first"]
    assert row.status is RunStatus.ROLLED_BACK
    assert row.error == {"code": "StepFailed", "message": "fragile is broken"}


async def test_a_failed_run_goes_on_by_itself_where_its_workflow_says_so(stage: Stage) -> None:
    FAIL["fragile"] = 2

    run = await stage.start("fragile-resumed")

    assert LEDGER == ["first", "fragile"]
    assert (await stage.picture(run)).row.status is RunStatus.COMPLETED


async def test_one_that_keeps_failing_fails_in_the_end(stage: Stage) -> None:
    FAIL["fragile"] = 3

    run = await stage.start("fragile-resumed")

    assert (await stage.picture(run)).row.status is RunStatus.FAILED


async def test_a_failed_run_is_recovered_from_the_step_that_failed(stage: Stage) -> None:
    FAIL["fragile"] = 1
    run = await stage.start("fragile")
    failed = (await stage.picture(run)).row

    await rolled(stage, run, to="failure", mode="resume")

    row = (await stage.picture(run)).row
    assert failed.status is RunStatus.FAILED
    assert LEDGER == ["first", "second", "fragile"]
    assert (row.status, row.error, row.result) == (RunStatus.COMPLETED, None, "fragile")
    assert await stage.is_sound(run)


async def test_a_failed_run_is_undone_afterwards(stage: Stage) -> None:
    FAIL["fragile"] = 1
    run = await stage.start("fragile")

    await rolled(stage, run)

    assert LEDGER == ["first", "second", "undo second", "undo first"]
    assert (await stage.picture(run)).row.status is RunStatus.ROLLED_BACK


async def test_the_rejection_names_its_checkpoint_and_the_last_approved_one(stage: Stage) -> None:
    run = await stage.start("telling")
    await stage.vote(run, "ana")

    await stage.vote(run, "ana", "reject")

    assert (await stage.picture(run)).row.result == ["second", "first"]


async def test_nobody_has_a_run_go_on_from_before_what_cannot_be_undone(stage: Stage) -> None:
    run = await stage.start("paid")

    with pytest.raises(Conflict, match="pay was done after before paying and cannot be undone"):
        await rolled(stage, run, mode="resume", to="before paying")
    await rolled(stage, run, mode="resume", to="after paying")

    assert LEDGER == ["prepare", "pay"]
    assert (await stage.picture(run)).row.status is RunStatus.WAITING


async def test_a_rejection_that_would_do_it_twice_stops_the_run_instead(stage: Stage) -> None:
    run = await stage.start("paid")

    await stage.vote(run, "ana", "reject")

    assert LEDGER == ["prepare", "pay", "undo prepare"]
    picture = await stage.picture(run)
    assert picture.row.status is RunStatus.ROLLED_BACK
    assert "pay cannot be undone, and is not done twice" in str(picture.row.error)
