"""Deeds that ride along: done in the transaction that hints at what they wait for, or left alone."""

import pytest

from engine.errors import Invalid
from engine.store.riding import Rider
from engine.store.sqlite import SqliteDatabase
from tests.store.test_sqlite import Deed, keep, kept

pytestmark = pytest.mark.anyio

TOPIC = "kept:a"


async def test_whoever_left_before_is_not_taken_along(database: SqliteDatabase) -> None:
    riders = database.hints.riders
    with database.hints.listen(TOPIC) as ear:
        rider = Rider(keep("b"), ear)
        riders.wait(TOPIC, rider)

        assert riders.leave(TOPIC, rider)
        await database.write(keep("a"))

    assert await database.read(kept) == ["a"]


async def test_nobody_boards_what_is_undone(database: SqliteDatabase) -> None:
    riders = database.hints.riders
    with database.hints.listen(TOPIC) as ear:
        rider = Rider(keep("b"), ear)
        riders.wait(TOPIC, rider)

        with pytest.raises(Invalid):
            await database.write(Deed("a", Invalid("no")))

        assert riders.leave(TOPIC, rider)
    assert await database.read(kept) == []


async def test_a_rider_is_done_with_what_it_waited_for_and_has_heard_of_it(
    database: SqliteDatabase,
) -> None:
    riders = database.hints.riders
    with database.hints.listen(TOPIC) as ear:
        rider = Rider(keep("b"), ear)
        riders.wait(TOPIC, rider)

        await database.write(keep("a"))

        assert not riders.leave(TOPIC, rider)
        assert await rider.answer == "b"
        assert rider.heard == ear.rings == 1
    assert await database.read(kept) == ["a", "b"]
