"""Rollback: every compensation once and in order, or visibly stuck until a person decides."""

from datetime import timedelta

import pytest

from engine.errors import Conflict
from engine.ids import DEFAULT_TENANT, RunId
from engine.rules.states import RunStatus, WaitingReason
from engine.services import rolling_back, runs
from tests.engine.flows import FAIL, LEDGER
from tests.engine.stage import Stage

pytestmark = pytest.mark.anyio

ALWAYS = 1_000


async def given_stuck(stage: Stage) -> RunId:
    """A rejected deployment whose second compensation keeps failing."""
    FAIL["undo deploy"] = ALWAYS
    run = await stage.start("deploy")
    await stage.vote(run, "ana", "reject")
    for _attempt in range(5):
        await stage.pass_time(timedelta(minutes=10))
    return run


async def test_a_run_that_is_not_stuck_is_neither_retried_nor_skipped(stage: Stage) -> None:
    run = await stage.start("deploy")

    with pytest.raises(Conflict, match="neither stuck"):
        await stage.database.write(
            lambda tx: runs.retry(tx, DEFAULT_TENANT, run, by="person:ana", reason="why not")
        )
    with pytest.raises(Conflict, match="No compensation"):
        await stage.database.write(
            lambda tx: rolling_back.skip(tx, DEFAULT_TENANT, run, by="person:ana", reason="why not")
        )


async def test_a_compensation_is_tried_again_before_anybody_is_asked(stage: Stage) -> None:
    FAIL["undo deploy"] = 2
    run = await stage.start("deploy")

    await stage.vote(run, "ana", "reject")
    await stage.pass_time(timedelta(minutes=1))
    await stage.pass_time(timedelta(minutes=1))

    assert LEDGER[3:] == ["undo smoke", "undo deploy", "undo migrate"]
    assert (await stage.picture(run)).row.status is RunStatus.ROLLED_BACK


async def test_one_that_keeps_failing_is_stuck_and_older_ones_wait(stage: Stage) -> None:
    run = await given_stuck(stage)

    row = (await stage.picture(run)).row
    assert (row.status, row.reason) == (RunStatus.ROLLING_BACK, WaitingReason.STUCK)
    assert LEDGER[3:] == ["undo smoke"]
    assert (await stage.kinds(run)).count("compensation.failed") == 5


async def test_a_stuck_compensation_can_be_retried(stage: Stage) -> None:
    run = await given_stuck(stage)
    FAIL.clear()

    await stage.database.write(
        lambda tx: runs.retry(tx, DEFAULT_TENANT, run, by="person:ana", reason="mended")
    )
    await stage.worker().drain()

    assert LEDGER[3:] == ["undo smoke", "undo deploy", "undo migrate"]
    assert (await stage.picture(run)).row.status is RunStatus.ROLLED_BACK
    assert await stage.is_sound(run)


async def test_a_stuck_compensation_can_be_skipped_with_a_reason(stage: Stage) -> None:
    run = await given_stuck(stage)

    left = await stage.database.write(
        lambda tx: rolling_back.skip(
            tx, DEFAULT_TENANT, run, by="person:ana", reason="done by hand"
        )
    )
    await stage.worker().drain()

    picture = await stage.picture(run)
    assert left == "deploy"
    assert LEDGER[3:] == ["undo smoke", "undo migrate"]
    assert picture.approvals[0].report[-2:] == ("deploy: left as it is", "migrate: undone")
    assert await stage.is_sound(run)
