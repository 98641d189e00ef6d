"""On PostgreSQL, too, who waits for a hint is done in the transaction that gives it, or looks for itself."""

from collections.abc import Generator
from contextlib import contextmanager

import pytest
from sqlalchemy import text

from engine.errors import Invalid, NotRecorded, Unavailable
from engine.failpoints import arm, disarm
from engine.store.database import Transaction
from engine.store.postgres import PostgresDatabase
from engine.store.riding import Rider
from tests.postgres.test_deeds import Deed, kept

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]

TOPIC = "kept:a"


@contextmanager
def going_wrong(orders: str) -> Generator[None]:
    arm(orders)
    try:
        yield
    finally:
        disarm()


async def test_a_rider_that_fails_holds_up_nobody(shared: PostgresDatabase) -> None:
    riders = shared.hints.riders
    with shared.hints.listen(TOPIC) as ear:
        rider = Rider(Deed("b", Invalid("no")), ear)
        riders.wait(TOPIC, rider)

        assert await shared.write(Deed("a")) == "a"

        with pytest.raises(Invalid):
            await rider.answer
        assert rider.heard < 0 < ear.rings
    assert await shared.read(kept) == ["a"]


async def test_a_statement_that_fails_does_not_end_its_carrier(shared: PostgresDatabase) -> None:
    riders = shared.hints.riders
    with shared.hints.listen(TOPIC) as ear:
        rider = Rider(lambda tx: tx.connection.execute(text("SELECT 1 / 0")), ear)
        riders.wait(TOPIC, rider)

        assert await shared.write(Deed("a")) == "a"

        assert rider.answer.exception() is not None
    assert await shared.read(kept) == ["a"]


async def test_nobody_boards_what_is_undone(shared: PostgresDatabase) -> None:
    riders = shared.hints.riders
    with shared.hints.listen(TOPIC) as ear:
        rider = Rider(Deed("b"), ear)
        riders.wait(TOPIC, rider)

        with pytest.raises(Invalid):
            await shared.write(Deed("a", Invalid("no")))

        assert riders.leave(TOPIC, rider)
    assert await shared.read(kept) == []


async def test_a_connection_that_ends_under_a_rider_ends_no_carrier(
    shared: PostgresDatabase,
) -> None:
    def ends(tx: Transaction) -> None:
        tx.connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    with shared.hints.listen(TOPIC) as ear:
        rider = Rider(ends, ear)
        shared.hints.riders.wait(TOPIC, rider)

        assert await shared.write(Deed("a")) == "a"

        assert isinstance(rider.answer.exception(), Unavailable)
        assert rider.heard < 0
    assert await shared.read(kept) == ["a"]


@pytest.mark.parametrize(("mode", "found"), [("lost", ["a", "b"]), ("broken", [])])
async def test_where_nobody_knows_what_was_kept_both_are_told_so(
    shared: PostgresDatabase, mode: str, found: list[str]
) -> None:
    with shared.hints.listen(TOPIC) as ear, going_wrong(f"commit.postgres={mode}"):
        rider = Rider(Deed("b"), ear)
        shared.hints.riders.wait(TOPIC, rider)

        with pytest.raises(NotRecorded):
            await shared.write(Deed("a"))

        assert isinstance(rider.answer.exception(), NotRecorded)
        assert rider.heard < 0
    assert await shared.read(kept) == found


async def test_what_others_commit_meanwhile_is_not_taken_for_heard(
    shared: PostgresDatabase,
) -> None:
    def overtaken(tx: Transaction) -> list[str]:
        shared.hints.fire([TOPIC])
        return kept(tx)

    with shared.hints.listen(TOPIC) as ear:
        rider = Rider(overtaken, ear)
        shared.hints.riders.wait(TOPIC, rider)

        await shared.write(Deed("a"))

        assert await rider.answer == ["a"]
        assert rider.heard < ear.rings


async def test_a_rider_is_done_at_the_moment_of_what_it_waited_for(
    shared: PostgresDatabase,
) -> None:
    rung: list[int] = []

    def at(tx: Transaction) -> tuple[object, str]:
        rung.append(ear.rings)
        tx.hint(TOPIC)
        return tx.now, str(tx.connection.execute(text("SELECT txid_current()")).scalar_one())

    with shared.hints.listen(TOPIC) as ear:
        rider = Rider(at, ear)
        shared.hints.riders.wait(TOPIC, rider)

        carried = await shared.write(at)

        assert await rider.answer == carried
        assert rider.heard == rung[-1] + 1
