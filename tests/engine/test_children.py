"""Children: started once, waited for without holding anything, cancelled and undone with their parent."""

from datetime import timedelta

import pytest

from engine.ids import DEFAULT_TENANT, RunId
from engine.rules.states import RunStatus, WaitingReason
from engine.services import rolling_back, runs
from engine.store import family
from tests.engine.flows import FAIL, LEDGER
from tests.engine.stage import Stage

pytestmark = pytest.mark.anyio


async def children(stage: Stage, run: RunId) -> list[RunId]:
    """The runs that `run` started, the oldest first."""
    row = (await stage.picture(run)).row
    found = await stage.database.read(lambda tx: family.of(tx, row))
    return [each.id for each in found.children.get(run, ())]


async def status(stage: Stage, run: RunId) -> RunStatus:
    """Where a run stands."""
    return (await stage.picture(run)).row.status


async def test_a_run_that_starts_itself_ends(stage: Stage) -> None:
    run = await stage.start("endless")

    row = (await stage.picture(run)).row
    assert row.status is RunStatus.FAILED
    assert "stand one above the other" in str(row.error)


async def test_results_come_back_and_each_child_begins_once(stage: Stage) -> None:
    run = await stage.start("paper", topics=["bees", "ants"])

    assert LEDGER == ["read bees", "read ants", "write"]
    await stage.vote(run, "bo")
    picture = await stage.picture(run)
    assert picture.row.result == {"bees": "notes on read bees", "ants": "notes on read ants"}
    assert len(await children(stage, run)) == 2
    assert await stage.is_sound(run)


async def test_a_parent_waits_for_its_child_and_holds_nothing(stage: Stage) -> None:
    run = await stage.start("paper", topics=["bees"], asks=True)

    row = (await stage.picture(run)).row
    (child,) = await children(stage, run)
    assert (row.status, row.reason, row.awaits) == (RunStatus.WAITING, WaitingReason.CHILD, child)
    assert (await stage.picture(child)).row.root == run


async def test_rejecting_the_parent_undoes_its_children_newest_first(stage: Stage) -> None:
    run = await stage.start("paper", topics=["bees", "ants"])

    await stage.vote(run, "bo", "reject")

    assert LEDGER[3:] == ["undo write", "undo read ants", "undo read bees"]
    assert [await status(stage, each) for each in await children(stage, run)] == ["rolled_back"] * 2
    assert await status(stage, run) is RunStatus.ROLLED_BACK
    assert await stage.is_sound(run)


async def test_rejecting_a_child_undoes_the_parent_too(stage: Stage) -> None:
    run = await stage.start("paper", topics=["bees"], asks=True)
    (child,) = await children(stage, run)

    await stage.vote(child, "ana", "reject")

    assert await status(stage, child) is RunStatus.ROLLED_BACK
    assert await status(stage, run) is RunStatus.ROLLED_BACK
    assert LEDGER == ["read bees", "undo read bees"]


async def test_a_rejected_child_surfaces_in_the_parent_that_may_catch_it(stage: Stage) -> None:
    run = await stage.start("forgiving", topic="bees")
    (child,) = await children(stage, run)

    await stage.vote(child, "ana", "reject")

    assert (await stage.picture(run)).row.result == "rejected by ana"


async def test_a_child_that_fails_surfaces_with_its_code(stage: Stage) -> None:
    FAIL["read bees"] = 1
    run = await stage.start("forgiving", topic="bees")

    assert (await stage.picture(run)).row.result == "reader is failed: StepFailed"


async def test_cancelling_the_parent_cancels_what_it_started(stage: Stage) -> None:
    run = await stage.start("journal_issue", topics=["bees", "ants"])

    await stage.database.write(
        lambda tx: runs.cancel(tx, DEFAULT_TENANT, run, by="person:ana", reason="not now")
    )

    pictures = [await stage.picture(each) for each in await children(stage, run)]
    assert {each.row.status for each in pictures} == {RunStatus.CANCELLED}
    assert {each.approvals[0].status for each in pictures} == {"cancelled"}
    assert await stage.is_sound(run)


async def test_one_child_that_is_rejected_ends_the_others_and_all_is_undone(stage: Stage) -> None:
    run = await stage.start("journal_issue", topics=["bees", "ants"])
    bees, ants = await children(stage, run)

    await stage.vote(ants, "ana", "reject")

    assert await status(stage, run) is RunStatus.ROLLED_BACK
    assert [await status(stage, each) for each in (bees, ants)] == ["rolled_back", "rolled_back"]
    assert sorted(LEDGER[2:]) == ["undo read ants", "undo read bees"]
    assert await stage.is_sound(bees)


async def test_a_child_whose_undo_is_stuck_keeps_its_parent_waiting(stage: Stage) -> None:
    FAIL["undo read bees"] = 1_000
    run = await stage.start("paper", topics=["bees"])
    await stage.vote(run, "bo", "reject")
    for _attempt in range(5):
        await stage.pass_time(timedelta(minutes=10))
    row = (await stage.picture(run)).row

    (child,) = await children(stage, run)
    await stage.database.write(
        lambda tx: rolling_back.skip(tx, DEFAULT_TENANT, child, by="person:ana", reason="by hand")
    )
    await stage.worker().drain()

    assert (row.status, row.reason) == (RunStatus.ROLLING_BACK, WaitingReason.CHILD)
    assert await status(stage, run) is RunStatus.ROLLED_BACK


async def test_branches_with_children_wait_together_and_end_by_name(stage: Stage) -> None:
    run = await stage.start("journal_issue", topics=["bees", "ants"])

    for child in await children(stage, run):
        await stage.vote(child, "ana")

    assert (await stage.picture(run)).row.result == {
        "bees": "notes on read bees",
        "ants": "notes on read ants",
    }
