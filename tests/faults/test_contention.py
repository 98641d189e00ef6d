"""Others are in the way: locks, races, a killed connection, a full house. Bounded, told, and never by halves."""

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import AsyncExitStack, asynccontextmanager
from importlib import import_module
from typing import Any, Final

import pytest
from sqlalchemy import text

from engine.errors import Unavailable
from engine.store.database import Transaction
from engine.store.postgres import PAUSES, PostgresDatabase, Surroundings, Width, opened_on
from tests.faults.rows import keep, kept
from tests.postgres.server import Server, server

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]

LOCK_BRIEFLY: Final = text("SET LOCAL lock_timeout = '50ms'")
TIRE_QUICKLY: Final = text("SET LOCAL statement_timeout = '50ms'")
SLEEP: Final = text("SELECT pg_sleep(30)")
DIE: Final = text("SELECT pg_terminate_backend(pg_backend_pid())")
ROOM = 12


@pytest.fixture
async def database(url: str, surroundings: Surroundings) -> AsyncGenerator[PostgresDatabase]:
    async with opened_on(url, surroundings, width=Width(writers=4, readers=2)) as opened:
        yield opened


@pytest.fixture(scope="module")
def narrow() -> Generator[Server]:
    """A server with room for few."""
    with server(f"max_connections={ROOM}", "superuser_reserved_connections=0") as started:
        yield started


@asynccontextmanager
async def hand(url: str) -> AsyncGenerator[Any]:
    """A connection of somebody else's."""
    connection = await import_module("asyncpg").connect(url)
    try:
        yield connection
    finally:
        connection.terminate()


class Unlucky:
    """Writes a row, and meets the fault after it in its first `times` tries."""

    def __init__(self, fault: str, times: int) -> None:
        self.fault, self.left, self.tries = text(fault), times, 0

    def __call__(self, tx: Transaction) -> None:
        self.tries += 1
        keep("a")(tx)
        if self.left:
            self.left -= 1
            tx.connection.execute(self.fault)


def raising(state: str) -> str:
    return f"DO $$ BEGIN RAISE EXCEPTION 'unlucky' USING ERRCODE = '{state}'; END $$"


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(raising("40001"), id="a serialization failure"),
        pytest.param(raising("40P01"), id="a deadlock"),
        pytest.param(raising("57P05"), id="idle for too long"),
        pytest.param(str(DIE), id="killed by an operator"),
    ],
)
async def test_a_deed_that_was_unlucky_is_done_again_whole(
    database: PostgresDatabase, fault: str
) -> None:
    deed = Unlucky(fault, times=2)

    await database.write(deed)

    assert deed.tries == 3
    assert await database.read(kept) == ["a"]


@pytest.mark.slow
async def test_a_deed_that_is_unlucky_for_good_is_refused_after_some_tries(
    database: PostgresDatabase,
) -> None:
    deed = Unlucky(raising("40001"), times=1_000)

    with pytest.raises(
        Unavailable, match=r"Others were faster each time.*again in a moment"
    ) as told:
        await database.write(deed)

    assert (told.value.code, deed.tries) == ("store_busy", len(PAUSES) + 1)
    assert await database.read(kept) == []


async def test_a_lock_of_somebody_elses_is_told_and_waited_for_no_longer_than_it_may(
    url: str, database: PostgresDatabase
) -> None:
    def impatient(tx: Transaction) -> None:
        tx.connection.execute(LOCK_BRIEFLY)
        keep("a")(tx)

    async with hand(url) as somebody, somebody.transaction():
        await somebody.execute("LOCK TABLE meta")
        with pytest.raises(Unavailable, match=r"holds a lock.*pg_blocking_pids\(\)") as told:
            await database.write(impatient)
    await database.write(impatient)

    assert told.value.code == "store_busy"
    assert await database.read(kept) == ["a"]


async def test_what_takes_too_long_is_ended_and_told(database: PostgresDatabase) -> None:
    def endless(tx: Transaction) -> None:
        keep("a")(tx)
        tx.connection.execute(TIRE_QUICKLY)
        tx.connection.execute(SLEEP)

    with pytest.raises(Unavailable, match=r"took too long.*pg_stat_activity") as told:
        await database.write(endless)

    assert told.value.code == "store_busy"
    assert await database.read(kept) == []


async def test_more_deeds_than_connections_wait_in_line(
    url: str, surroundings: Surroundings
) -> None:
    async with opened_on(url, surroundings, width=Width(writers=1, readers=1)) as database:
        await asyncio.gather(*(database.write(keep(f"{number:03}")) for number in range(200)))
        found = await database.read(kept)

    assert len(found) == 200


@pytest.mark.slow
async def test_a_house_that_is_full_is_told_and_afterwards_all_goes_on(
    narrow: Server, surroundings: Surroundings
) -> None:
    name = narrow.make()
    url = narrow.url(name)
    async with opened_on(url, surroundings, width=Width(writers=2, readers=1)) as database:
        async with AsyncExitStack() as others:
            await database.write(keep("before"))
            narrow.ask(
                f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
            )
            await fill(url, others)
            with pytest.raises(Unavailable, match=r"no connection left.*max_connections") as told:
                await database.write(keep("full"))
        await database.write(keep("after"))

        assert told.value.code == "store_busy"
        assert await database.read(kept) == ["after", "before"]


@pytest.mark.slow
async def test_a_start_in_a_full_house_says_so(narrow: Server, surroundings: Surroundings) -> None:
    url = narrow.url(narrow.make())
    async with AsyncExitStack() as others:
        await fill(url, others)

        with pytest.raises(Unavailable, match=r"no connection left.*End what holds them") as told:
            async with opened_on(url, surroundings):
                pass

    assert told.value.code == "store_busy"


async def fill(url: str, stack: AsyncExitStack) -> None:
    """Take every connection that there is."""
    refused = 0
    while refused < 3:  # what was ended a moment ago may still hold its place
        try:
            await stack.enter_async_context(hand(url))
        except import_module("asyncpg").TooManyConnectionsError:
            refused += 1
