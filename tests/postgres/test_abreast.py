"""Deeds of one transaction go side by side on PostgreSQL, and each is done as if it were alone."""

import asyncio
from collections.abc import Callable

import pytest
from sqlalchemy import text

from bot.bench.ground import ground
from bot.bench.lanes import each
from bot.bench.place import place
from engine.errors import Invalid
from engine.ids import DEFAULT_TENANT, RunId
from engine.store import runs
from engine.store.database import Transaction
from engine.store.footing import Kind, footing, for_many
from engine.store.postgres import PostgresDatabase
from engine.store.runs import NewRun
from engine.store.statements import change, find_one, put
from engine.store.tables import runs as table

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]

MANY = 24
Deed = Callable[[Transaction], object]


async def made(database: PostgresDatabase, count: int) -> list[RunId]:
    """So many runs, each started by its own number."""
    names = [RunId(f"run_{number:02}") for number in range(count)]

    def begin(tx: Transaction) -> None:
        for name in names:
            new = NewRun(
                id=name,
                tenant=DEFAULT_TENANT,
                workflow="w",
                version="1",
                input={},
                started_by=f"key:{name}",
            )
            runs.begin(tx, new, is_ready=False)

    await database.write(begin)
    return names


def counting(run: RunId) -> Deed:
    """Reads how often the run was tried, and says one more: a lost update would show."""

    def deed(tx: Transaction) -> str:
        row = find_one(tx, table, {"id": run}, lock=True)
        put(tx, table, {"id": run}, {"tries": row.tries + 1})
        return str(row.started_by)

    return deed


async def tries(database: PostgresDatabase, wanted: list[RunId]) -> list[int]:
    return await database.read(
        lambda tx: [find_one(tx, table, {"id": run}).tries for run in wanted]
    )


async def done(database: PostgresDatabase, *deeds: Deed) -> list[object]:
    return await asyncio.gather(*(database.write(deed) for deed in deeds), return_exceptions=True)


async def test_each_is_answered_its_own_and_writes_its_own(shared: PostgresDatabase) -> None:
    wanted = await made(shared, MANY)

    answers = await done(shared, *(counting(run) for run in wanted))

    assert answers == [f"key:{run}" for run in wanted]
    assert await tries(shared, wanted) == [1] * MANY


async def test_those_about_one_run_go_one_after_the_other(shared: PostgresDatabase) -> None:
    wanted = await made(shared, 2)

    await done(shared, *(counting(wanted[number % 2]) for number in range(MANY)))

    assert await tries(shared, wanted) == [MANY // 2, MANY // 2]


async def test_a_row_that_another_process_held_is_read_as_it_left_it(
    shared: PostgresDatabase, other: PostgresDatabase
) -> None:
    wanted = await made(shared, MANY)

    await asyncio.gather(
        *(one.write(counting(run)) for run in wanted for one in (shared, other, shared))
    )

    assert await tries(shared, wanted) == [3] * MANY


def of_both(first: RunId, second: RunId) -> Deed:
    def deed(tx: Transaction) -> None:
        for run in (first, second):
            counting(run)(tx)

    return deed


async def test_two_that_wait_for_each_other_are_done_all_the_same(
    shared: PostgresDatabase,
) -> None:
    wanted = await made(shared, 4)
    pairs = [of_both(*wanted[:2]), of_both(wanted[1], wanted[0]), of_both(*wanted[2:])]

    answers = await done(shared, counting(wanted[0]), *pairs)

    assert answers == ["key:run_00", None, None, None]
    assert await tries(shared, wanted) == [3, 2, 1, 1]


def strange(run: RunId) -> Deed:
    """Asks for something else behind its question, as deeds may."""

    def deed(tx: Transaction) -> object:
        counting(run)(tx)
        return tx.connection.execute(text("SELECT 1")).scalar_one()

    return deed


def strange_late(run: RunId) -> Deed:
    """As `strange`, once something of it was written."""

    def deed(tx: Transaction) -> object:
        change(tx, table, {"id": run}, {"awaits": "something"})
        return strange(run)(tx)

    return deed


@pytest.mark.parametrize("other_kind", [strange, strange_late])
async def test_one_that_does_not_fit_is_done_with_the_others(
    shared: PostgresDatabase, other_kind: Callable[[RunId], Deed]
) -> None:
    wanted = await made(shared, MANY)

    for _again in range(3):
        answers = await done(
            shared, other_kind(wanted[0]), *(counting(run) for run in wanted), counting(wanted[0])
        )

        assert answers == [1, *(f"key:{run}" for run in wanted), "key:run_00"]
    assert await tries(shared, wanted) == [9] + [3] * (MANY - 1)


def refusing(run: RunId, *, late: bool) -> Deed:
    def deed(tx: Transaction) -> None:
        find_one(tx, table, {"id": run}, lock=True)
        if late:
            change(tx, table, {"id": run}, {"awaits": "nothing"})
        raise Invalid("no")

    return deed


@pytest.mark.parametrize("late", [False, True])
async def test_one_that_is_refused_takes_nobody_with_it(
    shared: PostgresDatabase, late: bool
) -> None:
    wanted = await made(shared, MANY)

    answers = await done(shared, refusing(wanted[0], late=late), *(counting(run) for run in wanted))

    assert isinstance(answers[0], Invalid)
    assert await tries(shared, wanted) == [1] * MANY
    assert await shared.read(lambda tx: find_one(tx, table, {"id": wanted[0]}).awaits) is None


async def test_what_is_asked_sees_what_the_same_deed_wrote_before(
    shared: PostgresDatabase,
) -> None:
    wanted = await made(shared, MANY)

    def twice(run: RunId) -> Deed:
        def deed(tx: Transaction) -> object:
            counting(run)(tx)
            counting(run)(tx)
            return find_one(tx, table, {"id": run}).tries

        return deed

    assert await done(shared, *(twice(run) for run in wanted)) == [2] * MANY


async def test_what_a_gated_run_does_fits(url: str) -> None:
    with place(url) as there:
        async with ground(there) as engine:
            await each(range(40), 20, lambda _index: engine.one())

            assert isinstance(engine.database, PostgresDatabase)
            doubted = engine.database.custom.doubted

    names = {name.partition(".")[0] for name in doubted}
    assert names, "what takes up work does not fit, which is learnt"
    assert names.isdisjoint({"vote", "Ground", "Unwritten", "Executor", "Asking"})


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT runs.id FROM runs WHERE runs.status = $1",
        "SELECT runs.id FROM runs WHERE runs.id = $1 OR runs.parent = $2",
        "SELECT runs.id FROM runs, budgets WHERE runs.id = $1",
        "SELECT a.id FROM runs AS a WHERE a.id = $1",
        "SELECT people.id FROM people FOR NO KEY UPDATE",
        "SELECT pg_advisory_xact_lock($1)",
        "SELECT tries FROM signoff_suspects($1)",
        "INSERT INTO people (id) VALUES ($1)",
        "INSERT INTO runs (id) VALUES ($1) ON CONFLICT DO NOTHING",
        "UPDATE runs SET tries=$1 WHERE runs.parent = $2",
        "UPDATE runs SET tries=(SELECT 1) WHERE runs.id = $1",
        "DELETE FROM runs WHERE runs.id = $1",
    ],
)
def test_a_statement_about_more_than_its_own_run_does_not_fit(statement: str) -> None:
    assert footing(statement) is None


def test_a_statement_tells_which_run_it_is_about() -> None:
    stands = footing("UPDATE runs SET tries=$1::INTEGER WHERE runs.id = $2::VARCHAR")

    assert stands is not None
    assert stands.kind is Kind.CHANGE
    assert stands.tables == {"runs"}
    assert stands.keys == (1,)


def test_a_statement_for_many_takes_arrays() -> None:
    one = "INSERT INTO runs (id, tries) VALUES ($1::VARCHAR, $2)"

    assert for_many(one, ("varchar", "int4")) == (
        "INSERT INTO runs (id, tries) SELECT k.p1::VARCHAR, k.p2"
        " FROM unnest($1::varchar[], $2::int4[]) WITH ORDINALITY AS k(p1, p2, n)"
    )
