"""Nobody has more approvals open than one requester may: a run that would ask one more ends, and says why."""

import pytest

from engine.errors import TooManyOpen
from engine.ids import DEFAULT_TENANT
from engine.services import approvals
from engine.services.approvals import OpenCap, Request
from engine.store.approvals import ApprovalRow
from signoff import Run, workflow
from tests.engine.flows import deed, undo
from tests.engine.stage import Stage

pytestmark = pytest.mark.anyio
REQUEST = Request(title="Go on?", action="go", approvers="person:ana", routes={})


@workflow(name="headstrong")
async def headstrong(run: Run) -> str:
    """Goes on without consent, whatever it is told."""
    await run.step(deed, "before", undo=undo)
    try:
        await run.approval("Go on?", approvers="person:ana", ladder=["reject after 4h"])
    except Exception as error:  # border: what a careless author writes
        return await run.step(deed, f"in spite of {type(error).__name__}", name="spite")
    return "approved"


async def ask(stage: Stage, cap: OpenCap, by: str = "key:agent") -> ApprovalRow:
    return await stage.database.write(
        lambda tx: approvals.ask(tx, DEFAULT_TENANT, REQUEST, started_by=by, owner=None, cap=cap)
    )


async def test_a_run_that_reaches_the_cap_fails_and_its_code_cannot_go_on(stage: Stage) -> None:
    stage.cap = OpenCap(1)
    first = await stage.start("catching")

    second = await stage.start("headstrong")

    seen = await stage.picture(second)
    assert (seen.row.status, [step.name for step in seen.steps]) == ("failed", ["deed"])
    assert seen.row.error is not None
    assert seen.row.error["code"] == "too_many_open"
    assert "key:agent has as many approvals open" in str(seen.row.error["message"])
    assert not seen.approvals
    assert await stage.is_sound(second)
    assert (await stage.picture(first)).row.status == "waiting"


async def test_branches_reach_it_together(stage: Stage) -> None:
    stage.cap = OpenCap(1)

    run = await stage.start("reviews")

    seen = await stage.picture(run)
    assert (seen.row.status, (seen.row.error or {}).get("code")) == ("failed", "too_many_open")
    assert {approval.status for approval in seen.approvals} == {"cancelled"}
    assert await stage.is_sound(run)


async def test_once_somebody_answered_there_is_room_again(stage: Stage) -> None:
    stage.cap = OpenCap(1)
    first = await stage.start("catching")
    await stage.vote(first, "ana")

    second = await stage.start("catching")

    assert (await stage.picture(second)).row.status == "waiting"


async def test_the_cap_holds_to_the_last_one_on_one_file(stage: Stage) -> None:
    cap = OpenCap(25)
    for _ in range(25):
        await ask(stage, cap)

    with pytest.raises(TooManyOpen):
        await ask(stage, cap)

    assert (await stage.database.read(lambda tx: approvals.counts(tx, DEFAULT_TENANT))) == {
        "open": 25
    }


async def test_others_have_room_of_their_own_and_a_cap_of_nothing_is_none(stage: Stage) -> None:
    cap = OpenCap(1)
    await ask(stage, cap)

    other = await ask(stage, cap, "key:other")
    unbounded = await ask(stage, OpenCap(0))

    assert (other.status, unbounded.status) == ("open", "open")
