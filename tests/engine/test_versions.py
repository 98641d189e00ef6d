"""New code under waiting runs: versions are pinned, patches let old runs go on, adopted runs change over."""

from dataclasses import replace
from datetime import timedelta

import pytest

from engine.errors import Conflict
from engine.ids import DEFAULT_TENANT, RunId, SystemIds, WorkerId
from engine.rules.states import RunStatus, WaitingReason
from engine.runtime.rehearsal import refusal
from engine.runtime.workflows import Workflows
from engine.services import adopting, driving
from engine.services.adopting import Adoption
from signoff import Run
from signoff.registry import AnyWorkflow
from tests.engine import flows
from tests.engine.flows import LEDGER
from tests.engine.stage import Stage

pytestmark = pytest.mark.anyio


LEASE = timedelta(seconds=30)


async def other_step_first(run: Run, quorum: int = 1, on_reject: str = "rollback") -> str:
    """The deployment after somebody changed its first step."""
    await run.step(flows.deed, "backup", name="backup")
    return "never"


async def patched(run: Run, quorum: int = 1, on_reject: str = "rollback") -> str:
    """The deployment with a change before its approval, and one behind it."""
    await run.step(flows.deed, "migrate", name="migrate", undo=flows.undo)
    if await run.patched("warm up"):
        await run.step(flows.deed, "warm up", name="warm up")
    await run.step(flows.deed, "deploy", name="deploy", undo=flows.undo)
    await run.step(flows.deed, "smoke", name="smoke", undo=flows.undo)
    await run.approval("Keep it?", action="deploy", approvers="group:release", quorum=quorum)
    told = "tell all" if await run.patched("tell all") else "announce"
    return str(await run.step(flows.deed, told, name=told))


def changed(stage: Stage, fn: AnyWorkflow, version: str = "1") -> Stage:
    """The same stage with other code under the same workflow."""
    deploy = stage.authored["deploy"]
    return replace(stage, authored={"deploy": replace(deploy, fn=fn, version=version)})


async def adopted(stage: Stage, run: RunId, to: str) -> str | None:
    """Change the run over, if the code of `to` accepts its journal; else why not."""
    found = await stage.database.read(lambda tx: adopting.candidate(tx, DEFAULT_TENANT, run))
    code = Workflows(stage.authored).pinned("deploy", to)
    why_not = await refusal(code, found.run, found.entries, stage.clock, SystemIds())
    if why_not is None:
        adoption = Adoption(to=to, by="person:ana", reason="the new steps fit")
        await stage.database.write(lambda tx: adopting.adopt(tx, found, adoption))
        await stage.worker().drain()
    return why_not


async def test_a_run_that_had_passed_a_change_goes_on_as_it_began(stage: Stage) -> None:
    run = await stage.start("deploy")

    await changed(stage, patched).vote(run, "ana")

    assert LEDGER == ["migrate", "deploy", "smoke", "tell all"]
    assert (await stage.picture(run)).row.status is RunStatus.COMPLETED


async def test_a_run_that_begins_goes_along_with_every_change_and_remembers_it(
    stage: Stage,
) -> None:
    new = changed(stage, patched)
    run = await new.start("deploy")

    await new.vote(run, "ana")

    assert LEDGER == ["migrate", "warm up", "deploy", "smoke", "tell all"]
    assert (await stage.kinds(run)).count("patch.recorded") == 2
    assert await stage.is_sound(run)


async def test_a_run_waits_for_a_process_that_holds_its_version(stage: Stage) -> None:
    run = await stage.start("deploy")

    await changed(stage, patched, version="2").vote(run, "ana")
    await stage.clock.advance(timedelta(minutes=1))
    waits = (await stage.picture(run)).row
    told = await stage.database.read(lambda tx: adopting.held_up(tx, [waits]))
    counts = await stage.database.read(
        lambda tx: adopting.versions_without_code(tx, DEFAULT_TENANT)
    )
    await stage.worker().drain()

    assert waits.status is RunStatus.RUNNING
    assert told == {run: "No process holds version 1 of deploy."}
    assert counts == {"deploy@1": 1}
    assert (await stage.picture(run)).row.status is RunStatus.COMPLETED


async def test_a_version_that_is_held_holds_nothing_up(stage: Stage) -> None:
    run = await stage.start("deploy")
    await changed(stage, patched, version="2").vote(run, "ana")
    await stage.clock.advance(timedelta(minutes=1))

    await stage.database.write(lambda tx: adopting.hold(tx, ["deploy@1"]))

    row = (await stage.picture(run)).row
    assert await stage.database.read(lambda tx: adopting.held_up(tx, [row])) == {}


async def test_a_run_is_not_given_to_code_that_does_not_fit(stage: Stage) -> None:
    run = await stage.start("deploy")
    new = changed(stage, other_step_first, version="2")

    why_not = await adopted(new, run, "2")

    assert why_not is not None
    assert "step 'migrate'" in why_not
    assert "step 'backup'" in why_not
    assert (await stage.picture(run)).row.version == "1"
    assert LEDGER == ["migrate", "deploy", "smoke"]


async def test_an_adopted_run_goes_on_with_the_new_code(stage: Stage) -> None:
    run = await stage.start("deploy")
    new = changed(stage, patched, version="2")

    assert await adopted(new, run, "2") is None
    await new.vote(run, "ana")

    picture = await stage.picture(run)
    assert (picture.row.version, picture.row.status) == ("2", RunStatus.COMPLETED)
    assert LEDGER == ["migrate", "deploy", "smoke", "tell all"]
    assert await stage.is_sound(run)


async def test_a_run_that_stopped_over_changed_code_is_adopted_and_goes_on(stage: Stage) -> None:
    run = await stage.start("deploy")
    await changed(stage, other_step_first).vote(run, "ana")
    stopped = (await stage.picture(run)).row

    assert await adopted(changed(stage, patched, version="2"), run, "2") is None

    assert stopped.reason is WaitingReason.CHANGED
    assert (await stage.picture(run)).row.status is RunStatus.COMPLETED


async def test_a_run_that_is_driven_is_not_adopted(stage: Stage) -> None:
    run = await stage.start("deploy")
    await changed(stage, patched, version="2").vote(run, "ana")
    await stage.database.write(
        lambda tx: driving.claim(
            tx, worker=WorkerId("w"), workflows=["deploy@1"], lease_for=LEASE, limit=1
        )
    )

    with pytest.raises(Conflict, match="is being driven"):
        await adopted(changed(stage, patched, version="2"), run, "2")
