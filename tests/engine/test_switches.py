"""Kill switches: nothing below one begins, votes are refused with words, and all of it goes on after the release."""

from datetime import timedelta

import pytest

from engine.errors import Conflict, KillSwitchTriggered, NotAllowed, NotFound, Refused
from engine.ids import DEFAULT_TENANT, PersonId, RunId, TenantId
from engine.rules.states import RunStatus, WaitingReason
from engine.rules.wording import BadRule
from engine.services import halting
from engine.services.halting import Switch
from engine.services.keys import Caller, Scope
from engine.store.database import Database
from tests.engine.flows import FAIL, LEDGER
from tests.engine.stage import Stage
from tests.services.rows import audited

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)


def operator(person: str | None, tenant: TenantId = DEFAULT_TENANT) -> Caller:
    """An operator by name, or whoever sits at the machine itself."""
    known = None if person is None else PersonId(person)
    return Caller(
        tenant=tenant, key=None, person=known, scopes=frozenset(Scope), owner=known,
        name="Somebody", kind="local" if person is None else "person",
    )  # fmt: skip


async def engaged(stage: Stage, scope: str) -> Switch:
    return await stage.database.write(
        lambda tx: halting.engage(tx, operator(None), scope, reason="Stop.")
    )


async def released(stage: Stage, scope: str, person: str | None = None) -> Switch | None:
    done = await stage.database.write(
        lambda tx: halting.release(tx, operator(person), scope, reason="Mended.")
    )
    await stage.worker().drain()
    return done


async def standing(stage: Stage, run: RunId) -> tuple[RunStatus, WaitingReason | None]:
    row = (await stage.picture(run)).row
    return row.status, row.reason


HALTED = (RunStatus.WAITING, WaitingReason.HALTED)


@pytest.mark.parametrize("scope", ["", "all", "workflow:", "workflow: x", "run", "agent", "x:y"])
async def test_what_is_no_scope_is_refused(stage: Stage, scope: str) -> None:
    with pytest.raises(BadRule, match="is no scope") as refused:
        await engaged(stage, scope)

    assert refused.value.code == "bad_scope"


@pytest.mark.parametrize("scope", ["run:run_nowhere", "agent:nobody"])
async def test_a_switch_above_nothing_is_refused(stage: Stage, scope: str) -> None:
    with pytest.raises(NotFound):
        await engaged(stage, scope)


async def test_everything_is_not_the_business_of_one_tenant(stage: Stage) -> None:
    somebody = operator("ana", TenantId("acme"))

    with pytest.raises(NotAllowed) as refused:
        await stage.database.write(
            lambda tx: halting.engage(tx, somebody, "everything", reason="Stop.")
        )

    assert refused.value.code == "not_the_installation"


async def test_what_is_not_engaged_cannot_be_released(stage: Stage) -> None:
    with pytest.raises(Conflict, match="not engaged"):
        await released(stage, "tenant")


@pytest.mark.parametrize("scope", ["everything", "tenant", "workflow:deploy"])
async def test_no_step_begins_below_a_switch_and_all_goes_on_after_it(
    stage: Stage, scope: str
) -> None:
    await engaged(stage, scope)
    run = await stage.start("deploy")

    assert (await standing(stage, run), LEDGER) == (HALTED, [])
    for person in ("ana", "bo"):
        await released(stage, scope, person)
        if scope != "everything":
            break
    assert LEDGER == ["migrate", "deploy", "smoke"]
    assert await standing(stage, run) == (RunStatus.WAITING, WaitingReason.APPROVAL)
    assert await stage.is_sound(run)


@pytest.mark.parametrize("scope", ["workflow:patient", "run"])
async def test_what_is_beside_a_switch_goes_on(stage: Stage, scope: str) -> None:
    other = await stage.start("patient", rung="reject after 1h")
    await engaged(stage, f"run:{other}" if scope == "run" else scope)

    run = await stage.start("retrying", deed_name="once")

    assert (await stage.picture(run)).row.status is RunStatus.COMPLETED


async def test_a_vote_below_a_switch_is_refused_with_words_and_counts_later(stage: Stage) -> None:
    run = await stage.start("deploy")
    await engaged(stage, f"run:{run}")

    refused = await stage.vote(run, "ana")

    assert isinstance(refused.refusal, KillSwitchTriggered)
    assert "was not recorded; vote again when it is released" in refused.message
    assert (await standing(stage, run))[1] is WaitingReason.APPROVAL
    await released(stage, f"run:{run}")
    assert (await stage.vote(run, "ana")).recorded
    assert (await stage.picture(run)).row.status is RunStatus.COMPLETED


async def test_a_rollback_waits_below_a_switch_and_goes_on_as_one(stage: Stage) -> None:
    run = await stage.start("deploy")
    await engaged(stage, "tenant")

    await stage.pass_time(5 * HOUR)

    assert (await standing(stage, run), LEDGER[3:]) == (HALTED, [])
    await released(stage, "tenant")
    assert LEDGER[3:] == ["undo smoke", "undo deploy", "undo migrate"]
    assert await stage.is_sound(run)


async def test_a_retry_below_a_switch_waits_for_its_release(stage: Stage) -> None:
    FAIL["once"] = 1
    run = await stage.start("retrying", deed_name="once", retries=2)
    await engaged(stage, "workflow:retrying")

    await stage.pass_time(HOUR)

    assert (await standing(stage, run), LEDGER) == (HALTED, [])
    await released(stage, "workflow:retrying")
    assert LEDGER == ["once"]


async def test_a_halted_run_that_was_paused_goes_on_when_both_let_it(stage: Stage) -> None:
    await engaged(stage, "tenant")
    run = await stage.start("retrying", deed_name="once")
    await stage.database.write(
        lambda tx: halting.pause(tx, DEFAULT_TENANT, run, by="person:ana", reason="Look.")
    )

    await released(stage, "tenant")

    assert (await standing(stage, run), LEDGER) == ((RunStatus.PAUSED, None), [])
    assert await stage.resume(run) is RunStatus.RUNNING
    assert LEDGER == ["once"]
    assert await stage.is_sound(run)


async def test_releasing_everything_takes_two_people_by_name(stage: Stage) -> None:
    await engaged(stage, "everything")
    with pytest.raises(Refused) as nobody:
        await released(stage, "everything")

    asked = await released(stage, "everything", "ana")
    with pytest.raises(Refused) as alone:
        await released(stage, "everything", "ana")
    confirmed = await released(stage, "everything", "bo")

    assert (nobody.value.code, alone.value.code) == ("person_needed", "second_person_needed")
    assert asked is not None
    assert asked.release_asked_by == "person:ana"
    assert confirmed is None
    assert (await audited(stage.database))[-3:] == [
        "kill_switch.engaged",
        "kill_switch.release_asked",
        "kill_switch.released",
    ]


async def test_engaging_again_forgets_who_wanted_the_release(stage: Stage) -> None:
    await engaged(stage, "everything")
    await released(stage, "everything", "ana")

    again = await engaged(stage, "everything")

    assert again.release_asked_by is None
    assert await released(stage, "everything", "bo") is not None


async def test_a_switch_survives_a_restart(stage: Stage) -> None:
    await engaged(stage, "tenant")
    await stage.start("retrying", deed_name="once")

    fresh = Stage(stage.database, stage.clock)
    await fresh.worker("another").drain()

    assert LEDGER == []
    assert [each.scope for each in (await status(stage.database)).switches] == ["tenant"]


async def status(database: Database) -> halting.Status:
    return await database.read(lambda tx: halting.status(tx, DEFAULT_TENANT))


async def test_a_killed_run_ends_at_once_and_undoes_nothing(stage: Stage) -> None:
    run = await stage.start("deploy")

    stays = await stage.database.write(
        lambda tx: halting.kill(tx, DEFAULT_TENANT, run, by="person:ana", reason="Runaway.")
    )
    late = await stage.vote(run, "ana")

    picture = await stage.picture(run)
    assert (stays, LEDGER[3:]) == (("smoke", "deploy", "migrate"), [])
    assert picture.row.status is RunStatus.KILLED
    assert picture.row.error == {"code": "kill_switch", "message": "Runaway."}
    assert (picture.approvals[-1].status, late.recorded) == ("cancelled", False)
    assert await stage.is_sound(run)
    with pytest.raises(Conflict, match="has ended"):
        await stage.database.write(
            lambda tx: halting.kill(tx, DEFAULT_TENANT, run, by="person:ana", reason="Again.")
        )


async def test_votes_are_looked_at_before_the_switch(stage: Stage) -> None:
    run = await stage.start("deploy")
    await engaged(stage, "tenant")

    stranger = await stage.vote(run, "bo")

    assert stranger.refusal is not None
    assert stranger.refusal.code == "not_eligible"
