"""A database that came from a backup: nothing of it goes on by itself, and nothing is done twice."""

from datetime import timedelta

import pytest

from engine.errors import Conflict
from engine.ids import DEFAULT_TENANT, RunId
from engine.rules.states import RunStatus, WaitingReason
from engine.services import restoring, runs
from engine.services.restoring import Restored
from tests.engine.flows import FAIL, LEDGER
from tests.engine.stage import Stage
from tests.services.rows import audited

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)


async def restored(stage: Stage) -> Restored:
    """The same rows, as if they had been put back, and every worker has looked at them."""
    done = await stage.database.write(restoring.begin_anew)
    await stage.worker().drain()
    return done


async def resumed(stage: Stage, run: RunId) -> RunStatus:
    status = await stage.database.write(
        lambda tx: runs.resume(tx, DEFAULT_TENANT, run, by="person:ana", reason="I looked.")
    )
    await stage.worker().drain()
    return status


async def test_what_nobody_holds_cannot_be_let_go(stage: Stage) -> None:
    run = await stage.start("deploy")

    with pytest.raises(Conflict, match="nobody holds it"):
        await resumed(stage, run)


async def test_a_run_that_ended_stays_ended(stage: Stage) -> None:
    run = await stage.start("retrying", deed_name="once")

    done = await restored(stage)

    assert (done.held, (await stage.picture(run)).row.status) == (0, RunStatus.COMPLETED)


async def test_people_may_decide_and_nothing_is_done_before_an_operator_looked(
    stage: Stage,
) -> None:
    run = await stage.start("paid-refund")
    done = await restored(stage)

    for person in ("ana", "bo"):
        await stage.vote(run, person)

    assert (done.held, done.epoch, LEDGER) == (1, 2, [])
    assert (await stage.picture(run)).approvals[-1].status == "approved"
    assert (await stage.picture(run)).row.status is RunStatus.PAUSED
    assert await resumed(stage, run) is RunStatus.RUNNING
    assert LEDGER == ["pay 10.00"]
    assert (await stage.picture(run)).row.status is RunStatus.COMPLETED
    assert await stage.is_sound(run)


async def test_a_deadline_that_passes_meanwhile_undoes_nothing_yet(stage: Stage) -> None:
    run = await stage.start("deploy")
    await restored(stage)

    await stage.pass_time(5 * HOUR)

    assert LEDGER == ["migrate", "deploy", "smoke"]
    await resumed(stage, run)
    assert LEDGER[3:] == ["undo smoke", "undo deploy", "undo migrate"]


async def test_a_run_that_is_let_go_early_waits_on_for_people(stage: Stage) -> None:
    run = await stage.start("deploy")
    await restored(stage)

    assert await resumed(stage, run) is RunStatus.WAITING
    await stage.vote(run, "dana")

    assert LEDGER[3:] == ["announce"]


async def test_a_sleep_goes_on_until_its_own_end(stage: Stage) -> None:
    run = await stage.start("sleepy")
    await restored(stage)
    await stage.pass_time(HOUR)

    await resumed(stage, run)
    row = (await stage.picture(run)).row
    await stage.pass_time(HOUR)

    assert (row.status, row.reason) == (RunStatus.WAITING, WaitingReason.TIMER)
    assert (await stage.picture(run)).row.status is RunStatus.COMPLETED


async def test_a_sleep_that_is_over_ends_when_the_run_is_let_go(stage: Stage) -> None:
    run = await stage.start("sleepy")
    await restored(stage)

    await stage.pass_time(3 * HOUR)

    assert (await stage.picture(run)).row.status is RunStatus.PAUSED
    await resumed(stage, run)
    assert (await stage.picture(run)).row.status is RunStatus.COMPLETED


async def test_a_rollback_is_held_too_and_goes_on_from_there(stage: Stage) -> None:
    FAIL["undo deploy"] = 1
    run = await stage.start("deploy")
    await stage.vote(run, "ana", "reject")
    await restored(stage)
    await stage.pass_time(HOUR)

    assert LEDGER[3:] == ["undo smoke"]
    assert await resumed(stage, run) is RunStatus.ROLLING_BACK
    assert LEDGER[3:] == ["undo smoke", "undo deploy", "undo migrate"]
    assert await stage.is_sound(run)


async def test_a_run_says_why_it_is_held(stage: Stage) -> None:
    run = await stage.start("deploy")

    await restored(stage)
    held = (await stage.picture(run)).to_json()["held"]

    assert "It came back from a backup of" in str(held)
    assert (await audited(stage.database))[-1] == "database.restored"


async def test_a_second_restore_begins_another_epoch_and_holds_nothing_twice(stage: Stage) -> None:
    await stage.start("deploy")
    first = await restored(stage)

    second = await restored(stage)

    assert [(first.epoch, first.held), (second.epoch, second.held)] == [(2, 1), (3, 0)]
