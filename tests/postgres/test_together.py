"""Deeds that wait together share a transaction on PostgreSQL, and none of them pays for another."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass

import pytest
from sqlalchemy import text

from engine.errors import EngineError, Invalid
from engine.store.database import Transaction
from engine.store.postgres import PostgresDatabase
from engine.store.postgres_driver import joined
from engine.store.statements import add, find, put
from engine.store.tables import meta
from engine.store.together import BATCH_MAX, LEADERS

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]

MANY = BATCH_MAX * LEADERS
_TRANSACTION = text("SELECT pg_catalog.pg_current_xact_id()::text")


@dataclass(frozen=True, slots=True)
class Deed:
    """Writes a row with what it `says`, unless it refuses first; may fail afterwards."""

    key: str
    refuses: EngineError | None = None
    fails: EngineError | None = None

    def __call__(self, tx: Transaction) -> str:
        if self.refuses is not None:
            raise self.refuses
        add(tx, meta, [{"key": self.key, "value": "new"}])
        if self.fails is not None:
            raise self.fails
        return str(tx.sqlalchemy.execute(_TRANSACTION).scalar_one())


def keys(tx: Transaction) -> set[str]:
    return {row.key for row in find(tx, meta, {}) if row.value == "new"}


async def done(database: PostgresDatabase, *deeds: Deed) -> list[str | BaseException]:
    return await asyncio.gather(*(database.write(each) for each in deeds), return_exceptions=True)


async def test_one_that_fails_after_it_wrote_takes_nobody_with_it(shared: PostgresDatabase) -> None:
    answers = await done(shared, Deed("a"), Deed("b"), Deed("c", fails=Invalid("no")), Deed("d"))

    assert [type(answer) for answer in answers] == [str, str, Invalid, str]
    assert await shared.read(keys) == {"a", "b", "d"}


async def test_one_that_refuses_before_it_wrote_costs_nobody_a_second_try(
    shared: PostgresDatabase,
) -> None:
    answers = await done(shared, Deed("a"), Deed("b"), Deed("c", refuses=Invalid("no")), Deed("d"))

    assert [type(answer) for answer in answers] == [str, str, Invalid, str]
    assert await shared.read(keys) == {"a", "b", "d"}


async def test_a_row_that_is_there_already_is_the_trouble_of_one(shared: PostgresDatabase) -> None:
    await shared.write(Deed("taken"))

    answers = await done(shared, Deed("a"), Deed("taken"), Deed("b"))

    assert [isinstance(answer, str) for answer in answers] == [True, False, True]
    assert await shared.read(keys) == {"a", "b", "taken"}


async def test_those_who_wait_are_committed_together(shared: PostgresDatabase) -> None:
    answers = await done(shared, *(Deed(f"{number}") for number in range(MANY)))

    assert len(await shared.read(keys)) == MANY
    assert len(set(answers)) < MANY / 4


class Rewriting:
    """Adds a row, changes it, and reads it: each as the one before left it."""

    def __call__(self, tx: Transaction) -> list[str]:
        add(tx, meta, [{"key": "twice", "value": "first"}])
        put(tx, meta, {"key": "twice"}, {"value": "second"})
        put(tx, meta, {"key": "twice"}, {"value": "third"})
        return [row.value for row in find(tx, meta, {"key": "twice"})]


async def test_what_is_written_soon_is_seen_by_what_is_asked_next(shared: PostgresDatabase) -> None:
    assert await shared.write(Rewriting()) == ["third"]


def undoing_a_part(tx: Transaction) -> None:
    add(tx, meta, [{"key": "before", "value": "new"}])
    with suppress(Invalid), tx.apart():
        add(tx, meta, [{"key": "inside", "value": "new"}])
        raise Invalid("no")
    add(tx, meta, [{"key": "after", "value": "new"}])


async def test_what_was_to_be_written_soon_in_a_part_is_undone_with_it(
    shared: PostgresDatabase,
) -> None:
    await shared.write(undoing_a_part)

    assert await shared.read(keys) == {"before", "after"}


def test_parts_of_one_statement_keep_their_own_values() -> None:
    one = joined(["INSERT INTO a VALUES ($1, $2)", "UPDATE b SET c = $2 WHERE d = $1 AND e = $1"])

    assert one == (
        "WITH w0 AS (INSERT INTO a VALUES ($1, $2)) UPDATE b SET c = $4 WHERE d = $3 AND e = $3"
    )
