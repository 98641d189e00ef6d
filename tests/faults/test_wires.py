"""The wire to PostgreSQL is cut, silenced, reset and slowed: each vote counts once, and nobody waits for ever."""

import asyncio
from collections.abc import Awaitable
from datetime import timedelta
from typing import TypeVar

import pytest
from sqlalchemy import text

from engine.errors import NotRecorded, Unavailable
from engine.ids import PersonId
from engine.services import votes
from engine.store.database import Transaction
from engine.store.postgres import PostgresDatabase, Surroundings, Width, opened_on
from tests.faults.rows import keep, kept
from tests.fixtures import Postgres
from tests.postgres import crowd
from tests.postgres.proxy import Proxy, proxy

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]

T = TypeVar("T")

CUTS = 20
NO_LONGER_THAN = timedelta(seconds=30)
DEEDS = 6  # more than there are connections


async def in_time(waited: Awaitable[T], within: timedelta = NO_LONGER_THAN) -> T:
    async with asyncio.timeout(within.total_seconds()):
        return await waited


async def all_told(database: PostgresDatabase) -> set[str]:
    """What a crowd is told that writes and reads at once, all of it in time."""
    doing = [database.write(keep(f"k{number}")) for number in range(DEEDS)]
    answers = await in_time(asyncio.gather(*doing, database.read(kept), return_exceptions=True))
    return {each.code if isinstance(each, Unavailable) else repr(each) for each in answers}


async def test_a_vote_whose_confirmation_was_lost_counts_once_when_it_is_repeated(
    wire: Proxy, far: PostgresDatabase
) -> None:
    ana = (await crowd.given_crowd(far, 1))[0]
    asked = [await crowd.asked(far, quorum=1) for _ in range(CUTS)]

    for approval in asked:
        wire.cuts_left = 1
        with pytest.raises(NotRecorded, match="may be recorded or not"):
            await votes.vote(far, crowd.ballot(approval, ana))
        repeated = await votes.vote(far, crowd.ballot(approval, ana))
        assert repeated.recorded

    assert wire.cuts == CUTS
    assert await far.read(crowd.kept_votes) == {(approval, ana) for approval in asked}
    assert await far.read(crowd.decisions) == CUTS
    assert await far.read(crowd.broken_links) == []


async def test_a_vote_whose_connection_was_reset_is_cast_again_by_itself(
    wire: Proxy, far: PostgresDatabase
) -> None:
    ana = (await crowd.given_crowd(far, 1))[0]
    approval = await crowd.asked(far, quorum=1)
    wire.reset()

    receipt = await votes.vote(far, crowd.ballot(approval, ana))

    assert receipt.status == "approved"


async def test_a_reset_in_the_middle_of_a_deed_does_it_again_from_its_beginning(
    wire: Proxy, far: PostgresDatabase
) -> None:
    tries = 0

    def interrupted(tx: Transaction) -> None:
        nonlocal tries
        tries += 1
        keep("a")(tx)
        if tries == 1:
            wire.reset()
        tx.connection.execute(text("SELECT 1"))

    await far.write(interrupted)

    assert tries == 2
    assert await far.read(kept) == ["a"]


async def test_bytes_that_trickle_are_waited_for(wire: Proxy, far: PostgresDatabase) -> None:
    ana: PersonId = (await crowd.given_crowd(far, 1))[0]
    approval = await crowd.asked(far, quorum=1)
    wire.piece = 64

    receipt = await in_time(votes.vote(far, crowd.ballot(approval, ana)))

    assert receipt.status == "approved"


@pytest.mark.slow
async def test_a_host_that_refuses_is_told_and_afterwards_all_goes_on(
    wire: Proxy, far: PostgresDatabase
) -> None:
    wire.is_refusing = True
    wire.reset()

    told = await all_told(far)
    wire.is_refusing = False
    await far.write(keep("after"))

    assert told == {"store_away"}
    assert await far.read(kept) == ["after"]


@pytest.mark.slow
async def test_a_silent_wire_lets_nobody_wait_for_ever_and_afterwards_all_goes_on(
    wire: Proxy, far: PostgresDatabase
) -> None:
    await all_told(far)  # so that connections are open, which say nothing of their death
    wire.silence()

    told = await all_told(far)
    wire.heal()
    await far.write(keep("after"))

    assert told == {"store_away"}
    assert "after" in await far.read(kept)


@pytest.mark.slow
async def test_a_process_ends_although_the_wire_is_silent(
    postgres: Postgres, surroundings: Surroundings
) -> None:
    async with asyncio.timeout(NO_LONGER_THAN.total_seconds()), proxy(postgres.server.folder) as it:
        url = it.url(postgres.server.make(postgres.template))
        async with opened_on(url, surroundings, width=Width(writers=8, readers=4)) as database:
            await asyncio.gather(*(database.write(keep(f"k{number}")) for number in range(DEEDS)))
            it.silence()

    assert it.connections == 0
