"""Runs: they go on after consent, are undone without it, and remember what they did."""

from datetime import timedelta

import pytest

from engine.errors import AlreadyDecided, Invalid, NotEligible, Superseded, TooLate
from engine.ids import DEFAULT_TENANT
from engine.rules.states import RunStatus
from engine.services import runs
from tests.engine.flows import FAIL, LEDGER
from tests.engine.stage import Stage

pytestmark = pytest.mark.anyio


async def test_a_run_waits_for_people_and_goes_on_when_they_agree(stage: Stage) -> None:
    run = await stage.start("deploy")
    assert LEDGER == ["migrate", "deploy", "smoke"]

    receipt = await stage.vote(run, "ana")

    picture = await stage.picture(run)
    assert receipt.message == "Recorded. Approved: 1 of 1 approval."
    assert (picture.row.status, picture.row.result) == (RunStatus.COMPLETED, "announce")
    assert LEDGER == ["migrate", "deploy", "smoke", "announce"]
    assert await stage.is_sound(run)


async def test_a_rejected_run_is_undone_newest_first(stage: Stage) -> None:
    run = await stage.start("deploy")

    await stage.vote(run, "dana", "reject", comment="not on a Friday")

    picture = await stage.picture(run)
    assert picture.row.status is RunStatus.ROLLED_BACK
    assert LEDGER[3:] == ["undo smoke", "undo deploy", "undo migrate"]
    assert picture.rollback is not None
    assert "not on a Friday" in str(picture.rollback.reason)
    assert await stage.is_sound(run)


async def test_a_rejected_run_that_asked_to_fail_undoes_nothing(stage: Stage) -> None:
    run = await stage.start("deploy", on_reject="fail")

    await stage.vote(run, "dana", "reject")

    assert (await stage.picture(run)).row.status is RunStatus.FAILED
    assert LEDGER == ["migrate", "deploy", "smoke"]


async def test_a_workflow_may_catch_the_rejection(stage: Stage) -> None:
    run = await stage.start("catching")

    await stage.vote(run, "ana", "reject")

    assert (await stage.picture(run)).row.result == "rejected by ana"


async def test_a_stranger_a_late_vote_and_an_old_version_change_nothing(stage: Stage) -> None:
    run = await stage.start("deploy")

    stranger = await stage.vote(run, "eve")
    stale = await stage.vote(run, "ana", digest="sha256:other")
    old = await stage.vote(run, "ana", version=7)
    await stage.vote(run, "ana")
    late = await stage.vote(run, "dana", "reject")

    assert isinstance(stranger.refusal, NotEligible)
    assert isinstance(stale.refusal, Superseded)
    assert isinstance(old.refusal, Superseded)
    assert isinstance(late.refusal, AlreadyDecided)
    assert "already approved by Ana" in late.message
    assert (await stage.picture(run)).row.status is RunStatus.COMPLETED


async def test_the_same_vote_twice_counts_once(stage: Stage) -> None:
    run = await stage.start("paid-refund")

    await stage.vote(run, "ana")
    again = await stage.vote(run, "ana")

    assert again.message == "You had already voted so; it counts once. 1 of 2 approvals."
    assert (await stage.kinds(run)).count("vote.recorded") == 1
    assert LEDGER == []


async def test_a_mind_may_change_until_the_decision(stage: Stage) -> None:
    run = await stage.start("paid-refund")

    await stage.vote(run, "ana")
    changed = await stage.vote(run, "ana", "abstain")
    await stage.vote(run, "bo")

    assert changed.message.startswith("Changed.")
    assert (await stage.picture(run)).approvals[0].tally.have == 1


async def test_the_approved_call_is_made_once_and_used_up(stage: Stage) -> None:
    run = await stage.start("paid-refund", amount="620.00")

    await stage.vote(run, "ana")
    await stage.vote(run, "bo")

    assert LEDGER == ["pay 620.00"]
    assert (await stage.picture(run)).approvals[0].consumed_at is not None
    assert "approval.consumed" in await stage.kinds(run)


async def test_another_call_than_the_approved_one_is_never_made(stage: Stage) -> None:
    run = await stage.start("paid-refund", amount="10.00", cheat=True)

    await stage.vote(run, "ana")
    await stage.vote(run, "bo")

    picture = await stage.picture(run)
    assert LEDGER == []
    assert picture.row.error is not None
    assert picture.row.error["code"] == "digest_mismatch"


@pytest.mark.parametrize("said", ["nothing", "one", "reject", "request_changes", "late"])
async def test_without_consent_no_run_completes(stage: Stage, said: str) -> None:
    run = await stage.start("paid-refund")

    if said == "one":
        await stage.vote(run, "ana")
        await stage.vote(run, "dana")  # a stranger is no second
    elif said == "late":
        await stage.pass_time(timedelta(hours=5))
        await stage.vote(run, "ana")
        await stage.vote(run, "bo")
    elif said != "nothing":
        await stage.vote(run, "ana", said, comment="No.")
        await stage.vote(run, "bo")

    picture = await stage.picture(run)
    assert LEDGER == []
    assert picture.row.status is not RunStatus.COMPLETED
    assert (picture.row.status is RunStatus.WAITING) == (said in {"nothing", "one"})
    assert await stage.is_sound(run)


async def test_when_approval_became_impossible_it_ends_at_once(stage: Stage) -> None:
    run = await stage.start("deploy", quorum=2)

    await stage.vote(run, "ana", "abstain")

    picture = await stage.picture(run)
    assert picture.row.status is RunStatus.ROLLED_BACK
    assert picture.approvals[0].decision is not None
    assert picture.approvals[0].decision["rule"] == "approval_impossible"


@pytest.mark.parametrize(
    ("rung", "status", "ledger"),
    [
        pytest.param(
            "reject after 1h", RunStatus.ROLLED_BACK, ["before", "undo before"], id="reject"
        ),
        pytest.param(
            "rollback after 1h", RunStatus.ROLLED_BACK, ["before", "undo before"], id="rollback"
        ),
        pytest.param(
            'continue with {"amount": "5"} after 1h', RunStatus.COMPLETED, ["before"], id="continue"
        ),
        pytest.param("hold after 1h", RunStatus.WAITING, ["before"], id="hold keeps waiting"),
    ],
)
async def test_the_last_rung_decides_at_its_moment(
    stage: Stage, rung: str, status: RunStatus, ledger: list[str]
) -> None:
    run = await stage.start("patient", rung=rung)

    await stage.pass_time(timedelta(minutes=59, seconds=59))
    before = (await stage.picture(run)).row.status
    await stage.pass_time(timedelta(seconds=1))

    assert before is RunStatus.WAITING
    assert (await stage.picture(run)).row.status is status
    assert ledger == LEDGER
    assert await stage.is_sound(run)


async def test_a_vote_at_the_deadline_is_too_late_even_before_the_rung_fired(stage: Stage) -> None:
    run = await stage.start("patient", rung="reject after 1h")
    await stage.clock.advance(timedelta(hours=1))

    late = await stage.vote(run, "ana")

    assert isinstance(late.refusal, TooLate)
    assert (await stage.picture(run)).row.status is RunStatus.ROLLED_BACK


async def test_changes_requested_leads_to_the_next_round_of_the_same_approval(stage: Stage) -> None:
    run = await stage.start("asking_again")
    first = (await stage.picture(run)).approvals[0]

    silent = await stage.vote(run, "bo", "request_changes")
    await stage.vote(run, "bo", "request_changes", comment="be kind")
    second = (await stage.picture(run)).approvals[0]
    await stage.vote(run, "ana")

    assert isinstance(silent.refusal, Invalid)
    assert (second.id, second.version) == (first.id, 2)
    assert (await stage.picture(run)).row.result == "Second wording: be kind (ana)"


async def test_a_failed_step_is_tried_again_as_often_as_asked(stage: Stage) -> None:
    FAIL["flaky"] = 2
    run = await stage.start("retrying", deed_name="flaky", retries=2)

    waiting = (await stage.picture(run)).row
    await stage.pass_time(timedelta(minutes=1))
    await stage.pass_time(timedelta(minutes=1))

    assert (waiting.status, waiting.reason) == (RunStatus.WAITING, "timer")
    assert (await stage.picture(run)).row.result == "flaky"
    assert (await stage.picture(run)).steps[0].attempts == 3


@pytest.mark.parametrize(
    ("retries", "status"),
    [
        pytest.param({"only": ["tests.engine.flows.Broken"]}, RunStatus.COMPLETED, id="this one"),
        pytest.param({"only": ["Exception"]}, RunStatus.COMPLETED, id="a class above it"),
        pytest.param({"only": ["OSError"]}, RunStatus.FAILED, id="only another"),
        pytest.param({"never": ["Broken"]}, RunStatus.FAILED, id="never this one"),
    ],
)
async def test_a_failed_step_is_tried_again_by_the_class_of_its_error(
    stage: Stage, retries: dict[str, object], status: RunStatus
) -> None:
    FAIL["flaky"] = 1

    run = await stage.start("retrying", deed_name="flaky", retries=retries)
    await stage.pass_time(timedelta(minutes=10))

    assert (await stage.picture(run)).row.status is status
    assert (await stage.kinds(run)).count("step.failed") == 1


async def test_a_failed_step_is_not_tried_again_unasked(stage: Stage) -> None:
    FAIL["flaky"] = 1
    run = await stage.start("retrying", deed_name="flaky")

    picture = await stage.picture(run)
    assert picture.row.status is RunStatus.FAILED
    assert picture.row.error == {"code": "StepFailed", "message": "flaky is broken"}


async def test_a_failure_that_did_nothing_is_tried_again_unasked(stage: Stage) -> None:
    FAIL["maybe"] = 2
    run = await stage.start("harmlessly")

    await stage.pass_time(timedelta(minutes=1))
    await stage.pass_time(timedelta(minutes=1))

    assert (await stage.picture(run)).row.result == "maybe"


async def test_time_chance_and_names_are_the_same_after_a_replay(stage: Stage) -> None:
    run = await stage.start("sleepy")
    recorded = await stage.kinds(run)

    await stage.pass_time(timedelta(hours=2))

    result = (await stage.picture(run)).row.result
    assert recorded.count("value.recorded") == 3
    assert isinstance(result, dict)
    assert result["at"] == "2026-01-15T12:00:00+00:00"
    assert await stage.is_sound(run)


async def test_a_result_that_no_journal_can_keep_fails_the_run_in_words(stage: Stage) -> None:
    run = await stage.start("unkeepable")

    error = (await stage.picture(run)).row.error
    assert error is not None
    assert "Return JSON, or name its type" in error["message"]


async def test_a_checkpoint_keeps_what_people_need_to_see(stage: Stage) -> None:
    run = await stage.start("marked")

    picture = await stage.picture(run)
    assert str(picture.row.result).startswith("artifact:sha256:")
    assert picture.checkpoints[0]["name"] == "worked"


async def test_cancelling_stops_a_run_and_says_what_stays_done(stage: Stage) -> None:
    run = await stage.start("deploy")

    stays = await stage.database.write(
        lambda tx: runs.cancel(tx, DEFAULT_TENANT, run, by="person:ana", reason="not today")
    )

    picture = await stage.picture(run)
    assert stays == ("smoke", "deploy", "migrate")
    assert picture.row.status is RunStatus.CANCELLED
    assert picture.approvals[0].status == "cancelled"
    assert LEDGER == ["migrate", "deploy", "smoke"]
    assert await stage.is_sound(run)
