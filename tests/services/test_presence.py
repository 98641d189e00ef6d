"""Channels are what some process serves: one that lacks a token takes nobody's messages for undeliverable."""

from collections.abc import AsyncGenerator
from datetime import timedelta

import pytest

from engine.ids import DEFAULT_TENANT, SystemIds
from engine.services import deliveries
from engine.store import routings
from engine.store.database import Database, Transaction
from engine.store.outbox import NewDelivery
from engine.store.postgres import PostgresDatabase, Surroundings, opened_on
from engine.store.sqlite import SqliteDatabase
from engine.tokens import Tokens
from tests.clock import ManualClock
from tests.fixtures import Postgres

pytestmark = pytest.mark.anyio

LEASE = timedelta(seconds=90)
LONG = timedelta(minutes=5)


@pytest.fixture
async def shared(
    postgres: Postgres, clock: ManualClock, ids: SystemIds, tokens: Tokens
) -> AsyncGenerator[PostgresDatabase]:
    with postgres.fresh() as url:
        async with opened_on(url, Surroundings(ids=ids, tokens=tokens, clock=clock)) as database:
            yield database


def waiting(tx: Transaction) -> None:
    """Something that must go to Slack, which another process serves."""
    routings.set_channels(tx, frozenset({"slack"}))
    deliveries.enqueue(
        tx,
        NewDelivery(
            tenant=DEFAULT_TENANT, message=None, channel="slack", address="U1", kind="tell",
            event="test", due_at=tx.now, payload={},
        ),
    )  # fmt: skip


def orphans(tx: Transaction) -> int:
    return len(deliveries.claim_orphans(tx, ["webhook"], limit=9, lease_for=LEASE))


async def test_what_another_process_serves_is_no_orphan(database: Database) -> None:
    await database.write(waiting)

    assert await database.write(orphans) == 0


async def test_a_file_has_one_owner_and_so_the_channels_it_serves(database: Database) -> None:
    await database.write(waiting)

    await database.write(lambda tx: deliveries.serve(tx, ["webhook"], missing=False))

    is_file = isinstance(database, SqliteDatabase)
    served = await database.read(routings.channels)
    assert served == ({"web", "webhook"} if is_file else {"slack", "web", "webhook"})


@pytest.mark.postgres
async def test_a_channel_is_not_gone_before_five_minutes_have_passed(
    shared: PostgresDatabase, clock: ManualClock
) -> None:
    await shared.of(DEFAULT_TENANT).write(waiting)
    await clock.advance(LONG - timedelta(microseconds=1))

    gone = await shared.write(lambda tx: deliveries.serve(tx, ["webhook"], missing=True))

    assert gone == frozenset()
    assert await shared.write(orphans) == 0


@pytest.mark.postgres
async def test_a_channel_that_nobody_serves_any_more_is_reported_once(
    shared: PostgresDatabase, clock: ManualClock
) -> None:
    await shared.of(DEFAULT_TENANT).write(waiting)
    await clock.advance(LONG)

    gone = [
        await shared.write(lambda tx: deliveries.serve(tx, ["webhook"], missing=True))
        for _process in range(2)
    ]

    assert gone == [frozenset({"slack"}), frozenset()]
    assert await shared.write(orphans) == 1


@pytest.mark.postgres
async def test_whoever_has_just_begun_does_not_judge(
    shared: PostgresDatabase, clock: ManualClock
) -> None:
    await shared.of(DEFAULT_TENANT).write(waiting)
    await clock.advance(LONG)

    await shared.write(lambda tx: deliveries.serve(tx, ["webhook"], missing=False))

    assert await shared.write(orphans) == 0
