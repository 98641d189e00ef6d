"""A lease that was lost counts against its run, unless its holder lives and was not held up by what it drove."""

from datetime import timedelta

import pytest

from engine.errors import KillSwitchTriggered
from engine.ids import DEFAULT_TENANT, LeaseToken, RunId, WorkerId
from engine.rules.switches import TENANT
from engine.services import driving, halting, runs, tending
from engine.store import switches
from engine.store.database import Database, Transaction
from engine.store.new_entry import NewEntry
from engine.store.runs import Claim, NewRun
from tests.clock import ManualClock

pytestmark = pytest.mark.anyio

LEASE = timedelta(seconds=30)
RUN = RunId("run_1")


def start(tx: Transaction) -> None:
    given = NewRun(
        id=RUN, tenant=DEFAULT_TENANT, workflow="greet", version="1", input={}, started_by="local"
    )
    runs.start(tx, given)


def claimed(tx: Transaction) -> list[Claim]:
    wanted = ["greet@1"]
    return driving.claim(tx, worker=WorkerId("w"), workflows=wanted, lease_for=LEASE, limit=9)


def tries(tx: Transaction) -> int:
    return runs.find(tx, DEFAULT_TENANT, RUN).tries


async def taken_over(database: Database, clock: ManualClock) -> LeaseToken:
    """The token of the first holder, whose lease ran out and is somebody else's now."""
    await database.write(start)
    [first] = await database.write(claimed)
    await clock.advance(LEASE)
    await database.write(claimed)
    return first.token


async def test_a_holder_that_was_held_up_by_its_runs_leaves_the_try_as_it_is(
    database: Database, clock: ManualClock
) -> None:
    token = await taken_over(database, clock)

    await database.write(lambda tx: tending.give_back(tx, {RUN: token}))

    assert await database.read(tries) == 2


@pytest.mark.parametrize("is_engaged", [True, False], ids=["engaged", "released meanwhile"])
async def test_being_held_up_by_a_switch_forgets_no_earlier_try(
    database: Database, clock: ManualClock, is_engaged: bool
) -> None:
    await taken_over(database, clock)
    await clock.advance(LEASE)
    [third] = await database.write(claimed)

    def held_up(tx: Transaction) -> None:
        if is_engaged:
            switches.put(tx, DEFAULT_TENANT, TENANT, by="person:ana", reason="stop")
        halting.hold_up(tx, DEFAULT_TENANT, RUN, third.token)

    await database.write(held_up)

    assert await database.read(tries) == 2


async def test_nothing_begins_under_a_switch_whatever_its_driver_knows(database: Database) -> None:
    await database.write(start)
    [claim] = await database.write(claimed)
    driven = driving.Driven(tenant=DEFAULT_TENANT, run=RUN, token=claim.token)
    begun = NewEntry(kind="step.begun", name="greet", path="0")
    await database.write(
        lambda tx: switches.put(tx, DEFAULT_TENANT, TENANT, by="person:ana", reason="stop")
    )

    with pytest.raises(KillSwitchTriggered):
        await database.write(lambda tx: driving.begin(tx, driven, [begun]))


async def test_a_blameless_holder_takes_its_try_back_and_only_its_own(
    database: Database, clock: ManualClock
) -> None:
    token = await taken_over(database, clock)

    for _again in range(3):
        await database.write(lambda tx: tending.give_back(tx, {RUN: token}, is_blameless=True))

    assert await database.read(tries) == 1
    assert await database.write(claimed) == []
