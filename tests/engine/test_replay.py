"""Replay: finished steps answer from the journal, and changed code stops the run without loss."""

from dataclasses import replace
from datetime import timedelta

import pytest

from engine.errors import LeaseLost
from engine.ids import DEFAULT_TENANT, LeaseToken, RunId, WorkerId
from engine.rules.states import RunStatus, WaitingReason
from engine.services import driving, runs
from engine.services.driving import Driven
from engine.store.journal import NewEntry
from engine.store.runs import Claim, NewRun
from signoff import Run
from signoff.registry import AnyWorkflow
from tests.engine import flows
from tests.engine.flows import LEDGER
from tests.engine.stage import Stage

pytestmark = pytest.mark.anyio


async def other_step_first(run: Run, quorum: int = 1, on_reject: str = "rollback") -> str:
    """The deployment after somebody changed its first step."""
    await run.step(flows.deed, "backup", name="backup")
    return "never"


async def shorter(run: Run, quorum: int = 1, on_reject: str = "rollback") -> str:
    """The deployment after somebody took out everything behind its first step."""
    await run.step(flows.deed, "migrate", name="migrate", undo=flows.undo)
    return "too early"


def changed(stage: Stage, fn: AnyWorkflow) -> Stage:
    """The same stage with other code under the same workflow."""
    deploy = stage.authored["deploy"]
    return replace(stage, authored={**stage.authored, "deploy": replace(deploy, fn=fn)})


@pytest.mark.parametrize("fn", [other_step_first, shorter], ids=["another step", "nothing more"])
async def test_changed_code_stops_the_run_and_restored_code_lets_it_go_on(
    stage: Stage, fn: AnyWorkflow
) -> None:
    run = await stage.start("deploy")
    new = changed(stage, fn)

    await new.vote(run, "ana")
    stopped = (await stage.picture(run)).row
    await stage.database.write(
        lambda tx: runs.retry(tx, DEFAULT_TENANT, run, by="person:ana", reason="restored")
    )
    await stage.worker().drain()

    assert (stopped.status, stopped.reason) == (RunStatus.WAITING, WaitingReason.CHANGED)
    assert LEDGER == ["migrate", "deploy", "smoke", "announce"]
    assert (await stage.picture(run)).row.status is RunStatus.COMPLETED


async def test_a_step_is_done_once_however_often_the_run_is_replayed(stage: Stage) -> None:
    run = await stage.start("asking_again")

    for wish in ("shorter", "longer", "funnier"):
        await stage.vote(run, "bo", "request_changes", comment=wish)
    await stage.vote(run, "ana")

    picture = await stage.picture(run)
    assert picture.approvals[0].version == 4
    assert len(picture.approvals) == 1
    assert await stage.is_sound(run)


async def test_a_driver_without_the_lease_writes_nothing(stage: Stage) -> None:
    run = await stage.start("deploy")
    before = await stage.kinds(run)
    zombie = Driven(tenant=DEFAULT_TENANT, run=run, token=LeaseToken("lease_of_somebody_else"))

    with pytest.raises(LeaseLost):
        await stage.database.write(
            lambda tx: driving.record(tx, zombie, [NewEntry(kind="step.finished", path="9")])
        )

    assert await stage.kinds(run) == before


async def test_a_run_is_handed_to_one_worker_until_its_lease_runs_out(stage: Stage) -> None:
    run = RunId("run_held")
    await stage.database.write(lambda tx: runs.start(tx, _new(run)))

    first, second = await _claim(stage, "first"), await _claim(stage, "second")
    await stage.clock.advance(timedelta(seconds=30))
    third = await _claim(stage, "third")

    assert [each.run.id for each in first] == [run]
    assert second == []
    assert [each.run.id for each in third] == [run]
    assert first[0].token != third[0].token


async def test_two_deeds_at_once_are_refused_in_words(stage: Stage) -> None:
    run = await stage.start("hasty")

    error = (await stage.picture(run)).row.error

    assert error is not None
    assert error["code"] == "concurrent_deeds"


async def _claim(stage: Stage, worker: str) -> list[Claim]:
    return await stage.database.write(
        lambda tx: driving.claim(
            tx,
            worker=WorkerId(worker),
            workflows=["deploy@1"],
            lease_for=timedelta(seconds=30),
            limit=10,
        )
    )


def _new(run: RunId) -> NewRun:
    return NewRun(
        id=run, tenant=DEFAULT_TENANT, workflow="deploy", version="1", input={}, started_by="key:a"
    )
