"""Deeds on PostgreSQL are whole, lose no race for good, and hear of each other across processes."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import insert, select, text, update

from engine.errors import Invalid, NotRecorded, Unavailable
from engine.store.database import Transaction
from engine.store.meta import OLDEST_SCHEMA
from engine.store.postgres import PostgresDatabase, Surroundings, Width, opened_on
from engine.store.tables import meta

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]

SOON = timedelta(seconds=5)


class Deed:
    """Writes one row; may fail after it has written."""

    def __init__(self, key: str, error: Exception | None = None) -> None:
        self.key, self.error = key, error

    def __call__(self, tx: Transaction) -> str:
        tx.connection.execute(insert(meta).values(key=self.key, value="kept"))
        tx.hint(f"kept:{self.key}")
        if self.error is not None:
            raise self.error
        return self.key


def kept(tx: Transaction) -> list[str]:
    ours = select(meta.c.key).where(meta.c.key != OLDEST_SCHEMA).order_by(meta.c.key)
    return [row.key for row in tx.connection.execute(ours)]


class Told:
    """What the server answers to a statement, on a connection of ours."""

    def __init__(self, statement: str) -> None:
        self.statement = statement

    def __call__(self, tx: Transaction) -> str:
        return str(tx.connection.execute(text(self.statement)).scalar_one())


class InOrder:
    """Writes its rows one after the other, and takes its time."""

    def __init__(self, *keys: str) -> None:
        self.keys = keys

    def __call__(self, tx: Transaction) -> None:
        for key in self.keys:
            mine = update(meta).where(meta.c.key == key).values(value=self.keys[0])
            tx.connection.execute(mine)
            tx.connection.execute(text("SELECT pg_sleep(0.05)"))


async def test_a_server_that_is_not_there_is_told_in_a_sentence(surroundings: Surroundings) -> None:
    with pytest.raises(Unavailable, match="Look at its host"):
        async with opened_on("postgresql://postgres@/x?host=/nowhere", surroundings):
            pass


async def test_a_reader_cannot_write(shared: PostgresDatabase) -> None:
    with pytest.raises(Unavailable, match="read-only transaction"):
        await shared.read(Deed("a"))

    assert await shared.read(kept) == []


async def test_a_deed_that_fails_undoes_itself_alone(shared: PostgresDatabase) -> None:
    deeds = [Deed("a"), Deed("b", Invalid("no")), Deed("c")]

    answers = await asyncio.gather(*(shared.write(deed) for deed in deeds), return_exceptions=True)

    assert [type(answer) for answer in answers] == [str, Invalid, str]
    assert await shared.read(kept) == ["a", "c"]


async def test_a_key_that_stays_taken_is_said_and_undone(shared: PostgresDatabase) -> None:
    await shared.write(Deed("a"))

    with pytest.raises(Unavailable, match="Nothing of it was kept"):
        await shared.write(Deed("a"))

    assert await shared.read(kept) == ["a"]


@pytest.mark.parametrize("text", ["a\x00b", "\ud800"], ids=["NUL", "half a surrogate pair"])
async def test_what_is_no_text_is_the_callers_to_mend(shared: PostgresDatabase, text: str) -> None:
    with pytest.raises(Invalid, match="cannot be kept") as refused:
        await shared.write(Deed(text))

    assert refused.value.code == "bad_text"


async def test_what_the_block_raises_comes_out_as_it_is(
    url: str, surroundings: Surroundings
) -> None:
    with pytest.raises(Invalid, match="mine"):
        async with opened_on(url, surroundings):
            raise Invalid("mine")


async def test_two_that_wait_for_each_other_both_succeed(shared: PostgresDatabase) -> None:
    await shared.write(Deed("a"))
    await shared.write(Deed("b"))

    await asyncio.gather(shared.write(InOrder("a", "b")), shared.write(InOrder("b", "a")))

    values = await shared.read(
        lambda tx: {
            row.value for row in tx.connection.execute(select(meta)) if row.key != OLDEST_SCHEMA
        }
    )
    assert len(values) == 1


async def test_a_caller_who_waits_no_longer_is_told_that_it_may_still_land(
    shared: PostgresDatabase, other: PostgresDatabase
) -> None:
    def slow(tx: Transaction) -> None:
        Deed("slow")(tx)
        tx.connection.execute(text("SELECT pg_sleep(0.2)"))

    with pytest.raises(NotRecorded, match="it counts once"):
        await shared.write(slow, within=timedelta(milliseconds=20))
    await shared.close()

    assert await other.read(kept) == ["slow"]


async def test_after_the_end_nothing_is_taken_up(shared: PostgresDatabase) -> None:
    await shared.close()

    with pytest.raises(Unavailable, match="nothing was kept"):
        await shared.write(Deed("a"))


async def test_another_process_hears_of_what_was_kept(
    shared: PostgresDatabase, other: PostgresDatabase
) -> None:
    with other.hints.listen("kept:a") as ear:
        await ear.wait(timedelta(milliseconds=200))  # whoever begins to listen is rung once
        await shared.write(Deed("a"))

        async with asyncio.timeout(4):
            await ear.wait(SOON)

    assert await other.read(kept) == ["a"]


async def test_the_moment_is_the_databases_for_everybody(
    shared: PostgresDatabase, other: PostgresDatabase
) -> None:
    machine = await shared.write(lambda tx: tx.now)
    await shared.write(
        lambda tx: tx.connection.execute(
            insert(meta).values(key="clock_offset", value="-10 minutes")
        )
    )

    moments = [await each.write(lambda tx: tx.now) for each in (shared, other)]

    late = [machine - moment for moment in moments]
    assert all(timedelta(minutes=9) < each < timedelta(minutes=10) for each in late)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("statement_timeout", "15s"),
        ("lock_timeout", "10s"),
        ("idle_in_transaction_session_timeout", "5s"),
        ("transaction_isolation", "read committed"),
        ("synchronous_commit", "on"),
    ],
)
async def test_nothing_lasts_for_ever(shared: PostgresDatabase, name: str, value: str) -> None:
    assert await shared.write(Told(f"SHOW {name}")) == value


async def test_a_query_sees_one_state_from_its_beginning_to_its_end(
    shared: PostgresDatabase,
) -> None:
    assert await shared.read(Told("SHOW transaction_isolation")) == "repeatable read"


async def test_more_readers_than_connections_wait_in_line(
    url: str, surroundings: Surroundings
) -> None:
    narrow = Width(writers=1, readers=1)
    async with opened_on(url, surroundings, width=narrow) as database:
        answers = await asyncio.gather(*(database.read(kept) for _ in range(40)))

    assert answers == [[]] * 40
