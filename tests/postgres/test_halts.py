"""A kill switch that one process engages is known in the others, without being asked for."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta

import pytest

from engine.ids import DEFAULT_TENANT, RunId, SystemIds, TenantId, WorkerId
from engine.runtime.halts import POLL_EVERY, Halts
from engine.services import driving, halting, runs, tenants
from engine.store.database import Transaction
from engine.store.leases import pin
from engine.store.postgres import PostgresDatabase, Surroundings, opened_on
from engine.store.runs import Claim, NewRun
from tests.engine.test_switches import operator
from tests.fixtures import Postgres

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]

ACME = TenantId("acme")
SECONDS_MAX = 60


@pytest.fixture
async def processes(
    postgres: Postgres, surroundings: Surroundings
) -> AsyncGenerator[tuple[PostgresDatabase, PostgresDatabase]]:
    """The database as two processes have it: each with connections and an ear of its own."""
    with postgres.lent() as url:
        async with opened_on(url, surroundings) as one, opened_on(url, surroundings) as other:
            yield one, other


def begun(tx: Transaction) -> None:
    tenants.create(tx, ACME, name="Acme", by="tests")
    for tenant in (ACME, DEFAULT_TENANT):
        tx.act_for(tenant)
        runs.start(
            tx,
            NewRun(
                id=RunId(SystemIds().new("run")), tenant=tenant, workflow="greet", version="1",
                input={}, started_by="local",
            ),
        )  # fmt: skip


def claimed(tx: Transaction) -> list[Claim]:
    lease_for = timedelta(minutes=1)
    return driving.claim(
        tx, worker=WorkerId("w"), workflows=[pin("greet", "1")], lease_for=lease_for, limit=9
    )


@pytest.mark.parametrize("scope", ["everything", "tenant", "run"])
async def test_what_one_process_engages_stands_above_what_another_drives(
    processes: tuple[PostgresDatabase, PostgresDatabase], scope: str
) -> None:
    one, other = processes
    await one.write(begun)
    theirs, ours = sorted(await other.write(claimed), key=lambda each: each.run.tenant)
    halts = Halts(other)
    named = f"run:{ours.run.id}" if scope == "run" else scope

    async with asyncio.timeout(SECONDS_MAX), asyncio.TaskGroup() as group:
        watching = group.create_task(halts.watch())
        await one.of(DEFAULT_TENANT).write(
            lambda tx: halting.engage(tx, operator("ana"), named, reason="Stop.")
        )
        while not halts.is_above(ours):
            await other.read(halting.everybodys)
        watching.cancel()

    assert halts.is_above(theirs) == (scope == "everything")
    assert timedelta(seconds=1) >= POLL_EVERY
