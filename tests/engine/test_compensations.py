"""Compensations: on their own terms, with consent where they need it, and an operator's hand where they fail."""

from datetime import timedelta

import pytest

from engine.errors import Conflict
from engine.ids import DEFAULT_TENANT, RunId
from engine.rules.states import RunStatus, WaitingReason
from engine.services import rolling_back
from engine.store.rollbacks import Report
from tests.engine.flows import FAIL, LEDGER
from tests.engine.stage import Stage

pytestmark = pytest.mark.anyio

ALWAYS = 1_000
DONE = ["plain", "dangerous"]


async def given_rejected(stage: Stage, **terms: object) -> RunId:
    """A careful run whose people said no: its dangerous undo needs consent."""
    run = await stage.start("careful", **terms)
    await stage.vote(run, "ana", "reject", comment="wrong")
    return run


async def report(stage: Stage, run: RunId) -> Report:
    """The run's last rollback."""
    found = (await stage.picture(run)).rollback
    assert found is not None
    return found


async def test_nothing_is_taken_over_that_is_not_stuck(stage: Stage) -> None:
    run = await given_rejected(stage)

    with pytest.raises(Conflict, match="is stuck"):
        await stage.database.write(
            lambda tx: rolling_back.take_over(
                tx, DEFAULT_TENANT, run, by="person:ana", reason="by hand"
            )
        )


async def test_a_dangerous_undo_waits_for_consent_and_older_ones_wait_with_it(stage: Stage) -> None:
    run = await given_rejected(stage)

    picture = await stage.picture(run)

    asked = picture.approvals[-1]
    assert (picture.row.status, picture.row.reason) == ("rolling_back", WaitingReason.APPROVAL)
    assert asked.title == "Undo dangerous of careful?"
    assert asked.call == {
        "name": "tests.engine.flows:undo",
        "arguments": {"args": ["dangerous", "dangerous"], "kwargs": {}},
    }
    assert asked.plan is None  # whoever rejects it undoes nothing
    assert LEDGER == DONE
    assert (await report(stage, run)).left == ("dangerous", "plain")


async def test_with_consent_all_is_undone(stage: Stage) -> None:
    run = await given_rejected(stage)

    await stage.vote(run, "bo")

    assert [*DONE, "undo dangerous", "undo plain"] == LEDGER
    found = await report(stage, run)
    assert (found.success, found.completion, found.left) == (True, 1.0, ())
    assert await stage.is_sound(run)


async def test_without_consent_the_step_stays_and_the_report_says_so(stage: Stage) -> None:
    run = await given_rejected(stage)

    await stage.vote(run, "bo", "reject", comment="leave it")

    found = await report(stage, run)
    assert [*DONE, "undo plain"] == LEDGER
    assert (found.success, found.completion, found.left) == (False, 0.5, ("dangerous",))
    assert found.cleanup == ("left as it is: dangerous", "undone: plain")
    assert (await stage.picture(run)).row.status is RunStatus.ROLLED_BACK
    assert await stage.is_sound(run)


async def test_silence_undoes_nothing(stage: Stage) -> None:
    run = await given_rejected(stage)

    await stage.pass_time(timedelta(days=9))

    row = (await stage.picture(run)).row
    assert (row.status, row.reason) == (RunStatus.ROLLING_BACK, WaitingReason.APPROVAL)
    assert LEDGER == DONE


async def test_an_undo_has_as_many_tries_as_its_author_gave_it(stage: Stage) -> None:
    FAIL["undo dangerous"] = ALWAYS
    run = await given_rejected(stage, retries=1)
    await stage.vote(run, "bo")

    await stage.pass_time(timedelta(minutes=10))

    assert (await stage.picture(run)).row.reason is WaitingReason.STUCK
    assert (await stage.kinds(run)).count("compensation.failed") == 2


async def test_what_was_undone_by_hand_counts_as_undone(stage: Stage) -> None:
    FAIL["undo dangerous"] = ALWAYS
    run = await given_rejected(stage, retries=0)
    await stage.vote(run, "bo")

    step = await stage.database.write(
        lambda tx: rolling_back.take_over(
            tx, DEFAULT_TENANT, run, by="person:ana", reason="called the bank"
        )
    )
    await stage.worker().drain()

    found = await report(stage, run)
    assert step == "dangerous"
    assert [*DONE, "undo plain"] == LEDGER
    assert (found.success, found.cleanup) == (
        True,
        ("undone by hand: dangerous", "undone: plain"),
    )
    assert await stage.is_sound(run)
