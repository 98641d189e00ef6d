"""A process that slept past its lease asks before its next effect whether the run is still its own."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from engine.errors import LeaseLost
from engine.ids import DEFAULT_TENANT, RunId, SystemIds, WorkerId
from engine.rules.states import RunStatus
from engine.runtime.calling import Caller
from engine.runtime.compensating import Undoer
from engine.services import driving, rolling_back, runs
from engine.store import tables
from engine.store.going_back import Order
from engine.store.runs import Claim, NewRun
from signoff import Run
from tests.engine import flows
from tests.engine.flows import LEDGER
from tests.engine.stage import Stage

pytestmark = pytest.mark.anyio

LEASE = timedelta(seconds=30)
RUN = RunId("run_slept_on")


async def nothing_is_written_first(run: Run, quorum: int = 1, on_reject: str = "rollback") -> str:
    """A step without an undo begins without an entry, which would find out that the lease is gone."""
    await run.step(flows.deed, "backup", name="backup")
    return "done"


@pytest.fixture
async def begun(stage: Stage) -> Stage:
    """A run that waits for whoever takes it up."""
    deploy = replace(stage.authored["deploy"], fn=nothing_is_written_first)
    new = NewRun(
        id=RUN, tenant=DEFAULT_TENANT, workflow="deploy", version="1", input={}, started_by="key:a"
    )
    await stage.database.write(lambda tx: runs.start(tx, new))
    return replace(stage, authored={**stage.authored, "deploy": deploy})


async def test_what_somebody_else_took_over_is_not_done_by_a_sleeper(begun: Stage) -> None:
    asleep = await claimed(begun, "asleep")
    await begun.clock.advance(LEASE)
    awake = await claimed(begun, "awake")

    is_over = await driven(begun, asleep, slept=LEASE)

    assert not is_over
    assert LEDGER == []
    assert await driven(begun, awake, slept=timedelta(0))
    assert LEDGER == ["backup"]


async def test_what_nobody_took_over_is_held_for_longer_and_done(begun: Stage) -> None:
    asleep = await claimed(begun, "asleep")
    await begun.clock.advance(LEASE)

    is_over = await driven(begun, asleep, slept=LEASE)

    assert is_over
    assert LEDGER == ["backup"]
    assert (await begun.picture(RUN)).row.status is RunStatus.COMPLETED


async def test_nobody_is_asked_while_the_lease_lasts(begun: Stage) -> None:
    claim = await claimed(begun, "awake")
    expires = await ends_at(begun)
    await begun.clock.advance(LEASE / 2)

    begun.worker()
    [executor] = begun.executors
    executor.proofs.proven(claim.token, asked_at=now(), lease_for=LEASE)
    await executor.proofs.demand(driving.Driven(tenant=DEFAULT_TENANT, run=RUN, token=claim.token))

    assert await ends_at(begun) == expires


async def driven(stage: Stage, claim: Claim, *, slept: timedelta) -> bool:
    """What the driver of `claim` says, who was told of its lease before it slept."""
    stage.worker()
    executor = stage.executors[-1]
    executor.proofs.proven(claim.token, asked_at=now() - slept.total_seconds(), lease_for=LEASE)
    return await executor.drive(claim)


async def claimed(stage: Stage, worker: str) -> Claim:
    [claim] = await stage.database.write(
        lambda tx: driving.claim(
            tx, worker=WorkerId(worker), workflows=["deploy@1"], lease_for=LEASE, limit=10
        )
    )
    return claim


async def ends_at(stage: Stage) -> datetime:
    wanted = select(tables.runs.c.lease_expires_at).where(tables.runs.c.id == RUN)
    return await stage.database.read(lambda tx: tx.connection.execute(wanted).scalar_one())


def now() -> float:
    return asyncio.get_running_loop().time()


async def test_what_somebody_else_took_over_is_not_undone_by_a_sleeper(stage: Stage) -> None:
    run = await stage.start("deploy")
    order = Order(reason="the wrong release", by="person:ana")
    await stage.database.write(lambda tx: rolling_back.begin(tx, DEFAULT_TENANT, run, order))
    done = [*LEDGER]
    claim = await claimed(stage, "asleep")
    caller = Caller(claim, stage.database)
    caller.demand_lease = taken_meanwhile
    undoer = Undoer(
        claim=claim, database=stage.database, clock=stage.clock, ids=SystemIds(), caller=caller
    )

    with pytest.raises(LeaseLost):
        await undoer.roll_back()

    assert done == LEDGER


async def taken_meanwhile() -> None:
    """What is said between the entry of a compensation and its call."""
    raise LeaseLost("Somebody else drives it by now.")
