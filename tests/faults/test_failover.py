"""PostgreSQL restarts, turns read-only, and hands over to its standby: nothing answered is lost, all goes on."""

import asyncio
from collections.abc import AsyncGenerator, Generator

import pytest

from engine.errors import Unavailable
from engine.ids import ApprovalId, PersonId
from engine.services import votes
from engine.store.postgres import PostgresDatabase, Surroundings, Width, opened_on
from tests.faults.rows import keep, kept
from tests.faults.standby import standby_of
from tests.postgres import crowd
from tests.postgres.server import Server, server

pytestmark = [pytest.mark.anyio, pytest.mark.postgres, pytest.mark.slow]

RESTARTS = 3
NARROW = Width(writers=4, readers=2)
SECONDS_MAX = 60


@pytest.fixture(scope="module")
def first() -> Generator[Server]:
    with server() as started:
        yield started


@pytest.fixture
async def database(
    first: Server, surroundings: Surroundings
) -> AsyncGenerator[tuple[str, PostgresDatabase]]:
    name = first.make()
    async with opened_on(first.url(name), surroundings, width=NARROW) as opened:
        yield name, opened


async def insists(database: PostgresDatabase, approval: ApprovalId, person: PersonId) -> None:
    """Vote again and again until it is recorded, as people do."""
    async with asyncio.timeout(SECONDS_MAX):
        while True:
            try:
                receipt = await votes.vote(database, crowd.ballot(approval, person))
            except Unavailable:
                continue
            assert receipt.recorded
            return


async def test_a_server_that_restarts_again_and_again_loses_no_vote(
    first: Server, database: tuple[str, PostgresDatabase]
) -> None:
    _name, store = database
    everybody = await crowd.given_crowd(store, RESTARTS)
    approval = await crowd.asked(store, quorum=RESTARTS)

    for person in everybody:
        await asyncio.to_thread(first.stop)
        async with asyncio.TaskGroup() as group:
            group.create_task(insists(store, approval, person))
            group.create_task(asyncio.to_thread(first.start))

    assert await store.read(crowd.kept_votes) == {(approval, person) for person in everybody}
    assert await store.read(crowd.decisions) == 1


async def test_a_database_that_turns_read_only_is_told_and_afterwards_all_goes_on(
    first: Server, database: tuple[str, PostgresDatabase]
) -> None:
    name, store = database
    await store.write(keep("before"))
    first.ask(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    first.ask(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")

    with pytest.raises(Unavailable, match=r"The database is read-only.*wait for the") as told:
        await store.write(keep("during"))
    seen = await store.read(kept)
    first.ask(f"ALTER DATABASE {name} RESET default_transaction_read_only")
    await store.write(keep("after"))

    assert (told.value.code, seen) == ("store_read_only", ["before"])
    assert await store.read(kept) == ["after", "before"]


async def test_a_standby_alone_is_told_to_be_one(surroundings: Surroundings) -> None:
    with server() as primary, standby_of(primary) as second:
        name = primary.make()
        async with opened_on(primary.url(name), surroundings, width=NARROW):
            pass
        async with opened_on(second.url(name), surroundings, width=NARROW) as database:
            with pytest.raises(Unavailable, match="wait for the failover") as told:
                await database.write(keep("a"))

    assert told.value.code == "store_read_only"


async def test_a_failover_loses_no_confirmed_vote_and_needs_no_restart(
    surroundings: Surroundings,
) -> None:
    with server() as primary, standby_of(primary) as second:
        name = primary.make()
        hosts = f"host={primary.folder},{second.folder}"
        url = f"postgresql://postgres@/{name}?{hosts}&target_session_attrs=read-write"
        async with opened_on(url, surroundings, width=NARROW) as database:
            everybody = await crowd.given_crowd(database, 3)
            approval = await crowd.asked(database, quorum=3)
            await votes.vote(database, crowd.ballot(approval, everybody[0]))
            await asyncio.to_thread(primary.kill)

            async with asyncio.TaskGroup() as group:
                group.create_task(insists(database, approval, everybody[1]))
                group.create_task(asyncio.to_thread(second.ask, "SELECT pg_promote()"))
            await insists(database, approval, everybody[2])

            assert await database.read(crowd.kept_votes) == {
                (approval, person) for person in everybody
            }
            assert await database.read(crowd.decisions) == 1
