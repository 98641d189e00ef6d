"""Two processes that charge the same budgets in opposite order: neither waits for ever, and nothing is spent past."""

import asyncio

import pytest
from sqlalchemy import func, select

from engine.ids import DEFAULT_TENANT
from engine.rules.accounts import Key
from engine.rules.budget import Period
from engine.services import budgets
from engine.services.budgets import Wanted
from engine.store.budgets import UsageRow, open_usage
from engine.store.database import Database, Transaction
from engine.store.moves import Move, move_all
from engine.store.postgres import PostgresDatabase
from engine.store.tables import usages

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]

LIMIT, DEEDS = 25, 60


def opened(tx: Transaction) -> list[Key]:
    """Three budgets of `LIMIT` calls each, of one period."""
    made: list[Key] = []
    for name in "abc":
        wanted = Wanted(scope=f"workflow:{name}", limit={"calls": LIMIT}, per="total")
        budget = str(budgets.set_budget(tx, DEFAULT_TENANT, wanted, by="local")["id"])
        row = UsageRow(
            budget=budget, period=Period.TOTAL, unit="calls", cap=LIMIT, granted=0, reserved=0,
            spent=0, warned=0, starts_at=None, ends_at=None,
        )  # fmt: skip
        open_usage(tx, DEFAULT_TENANT, row)
        made.append((budget, Period.TOTAL, "calls"))
    return made


class RefusedError(Exception):
    """One of the budgets had no room: nothing of the deed is kept."""


async def charged(database: Database, keys: list[Key]) -> bool:
    def deed(tx: Transaction) -> None:
        moves = {key: Move(reserved=1, asked=1, asks=True) for key in keys}
        if move_all(tx, moves).keys() != moves.keys():
            raise RefusedError

    try:
        await database.write(deed)
    except RefusedError:
        return False
    return True


async def test_charges_in_any_order_are_all_done_or_refused_and_never_go_past(
    shared: PostgresDatabase, other: PostgresDatabase
) -> None:
    one, two = shared.of(DEFAULT_TENANT), other.of(DEFAULT_TENANT)
    keys = await one.write(opened)

    async with asyncio.timeout(60):
        done = await asyncio.gather(
            *(
                charged(two, keys[::-1]) if number % 2 else charged(one, keys)
                for number in range(DEEDS)
            )
        )

    query = select(func.min(usages.c.reserved), func.max(usages.c.reserved))
    kept = await one.read(lambda tx: tx.connection.execute(query).one())
    assert sum(done) == LIMIT
    assert tuple(kept) == (LIMIT, LIMIT)
