"""Branches: side by side in one run, each answered from its own entries, ended and undone together."""

from datetime import timedelta

import pytest

from engine.ids import DEFAULT_TENANT, PersonId, RunId
from engine.rules.states import RunStatus, WaitingReason
from engine.rules.tally import Choice
from engine.services import approvals, votes
from engine.services.approvals import Wanted
from engine.services.votes import Ballot, CastReceipt
from engine.store.database import Transaction
from engine.store.pictures import ApprovalPicture
from tests.engine.flows import FAIL, LEDGER, MEANWHILE
from tests.engine.stage import Stage

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)


def open_ones(tx: Transaction) -> list[ApprovalPicture]:
    """What people are asked."""
    return approvals.page(tx, DEFAULT_TENANT, Wanted(status="open"))


def cast_on(approval: str, person: str, choice: str) -> Ballot:
    """What `person` answers."""
    return Ballot(
        tenant=DEFAULT_TENANT,
        approval=approval,
        person=PersonId(person),
        choice=Choice(choice),
        channel="web",
        identified_by="session",
    )


async def answers(stage: Stage, run: RunId, person: str, choice: str = "approve") -> CastReceipt:
    """`person` answers the open approval that asks them, and the run goes on."""
    picture = await stage.picture(run)
    asked = next(each for each in picture.approvals if each.action == person)
    ballot = cast_on(asked.id, person, choice)
    receipt = await stage.database.write(lambda tx: votes.cast(tx, ballot))
    await stage.worker().drain()
    return receipt


async def statuses(stage: Stage, run: RunId) -> list[str]:
    """Where the run's approvals stand."""
    return sorted(each.status for each in (await stage.picture(run)).approvals)


async def test_two_deeds_of_one_run_at_once_are_still_refused(stage: Stage) -> None:
    run = await stage.start("hasty")

    error = (await stage.picture(run)).row.error or {}
    assert error["code"] == "concurrent_deeds"


async def test_several_approvals_are_open_at_once(stage: Stage) -> None:
    run = await stage.start("reviews")

    row = (await stage.picture(run)).row
    assert (row.status, row.reason) == (RunStatus.WAITING, WaitingReason.BRANCHES)
    assert await statuses(stage, run) == ["open", "open"]
    assert await stage.is_sound(run)


async def test_a_branch_goes_on_while_the_others_wait(stage: Stage) -> None:
    run = await stage.start("reviews")

    await answers(stage, run, "bo")

    assert LEDGER == ["ana prepares", "bo prepares", "bo acts"]
    assert await statuses(stage, run) == ["approved", "open"]


async def test_what_the_branches_return_comes_by_name_in_whatever_order_they_end(
    stage: Stage,
) -> None:
    run = await stage.start("reviews")

    await answers(stage, run, "bo")
    await stage.pass_time(HOUR)
    await answers(stage, run, "ana")

    row = (await stage.picture(run)).row
    assert row.result == {"ana": "ana: ana", "bo": "bo: bo", "asleep": "woke"}
    assert LEDGER[2:] == ["bo acts", "woke", "ana acts", "together"]
    assert await stage.is_sound(run)


async def test_a_rejection_in_one_branch_undoes_all_what_ended_last_first(stage: Stage) -> None:
    run = await stage.start("reviews")
    await answers(stage, run, "bo")

    await answers(stage, run, "ana", "reject")

    assert (await stage.picture(run)).row.status is RunStatus.ROLLED_BACK
    assert LEDGER[3:] == ["undo bo acts", "undo bo prepares", "undo ana prepares"]
    assert await stage.is_sound(run)


async def test_the_first_rejection_withdraws_what_others_are_asked(stage: Stage) -> None:
    run = await stage.start("reviews")

    await answers(stage, run, "bo", "reject")

    assert await statuses(stage, run) == ["cancelled", "rejected"]
    assert "branches.ended" in await stage.kinds(run)


async def test_a_failure_that_is_caught_is_caught_again_on_replay(stage: Stage) -> None:
    FAIL["broken"] = 1
    run = await stage.start("halved")

    await stage.pass_time(HOUR)

    picture = await stage.picture(run)
    assert picture.row.result == "without: broken is broken"
    assert await statuses(stage, run) == ["cancelled"]
    assert await stage.is_sound(run)


@pytest.mark.parametrize("choice", ["approve", "reject"])
async def test_a_decision_in_the_middle_of_anothers_step_is_not_missed(
    stage: Stage, choice: str
) -> None:
    async def decided() -> None:
        while not (asked := await stage.database.read(open_ones)):
            await stage.clock.advance(timedelta(seconds=1))
        ballot = cast_on(asked[0].id, "ana", choice)
        await stage.database.write(lambda tx: votes.cast(tx, ballot))

    MEANWHILE[:] = [decided]
    run = await stage.start("busy")

    row = (await stage.picture(run)).row
    assert row.status == ("completed" if choice == "approve" else "rolled_back")
    assert "long" in LEDGER
    assert await stage.is_sound(run)


async def test_time_wakes_a_branch_and_the_ladder_of_another_goes_on(stage: Stage) -> None:
    run = await stage.start("reviews")

    for _hour in range(4):
        await stage.pass_time(HOUR)

    picture = await stage.picture(run)
    assert picture.row.status is RunStatus.ROLLED_BACK
    assert "woke" in LEDGER
    assert await statuses(stage, run) == ["expired", "expired"]
