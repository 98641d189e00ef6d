"""What changes in a budget without anybody's attention: exactly what fits, and comes to no mark."""

from itertools import product

import pytest

from engine.ids import DEFAULT_TENANT
from engine.rules.accounts import Key
from engine.rules.budget import WARNED_AT, Account, crossed
from engine.services import budgets
from engine.services.budgets import Wanted
from engine.store.budgets import UsageRow, open_usage, usage
from engine.store.database import Transaction
from engine.store.moves import EXACT_MAX, Moves, move_all, move_quietly
from engine.store.sqlite import SqliteDatabase
from engine.store.statements import change
from engine.store.tables import usages

pytestmark = [pytest.mark.anyio]

LIMITS = (0, 1, 7, 100, 999_999, EXACT_MAX - 1)
SHARES = (0.0, 0.49, 0.5, 0.51, 0.74, 0.75, 0.89, 0.9, 0.99, 1.0, 1.01)
MARKS = (0, *WARNED_AT)
ASKS = (False, True)


def opened(tx: Transaction) -> Key:
    """One budget, with a period that holds nothing yet."""
    wanted = Wanted(scope="tenant", limit={"tokens": 1}, per="total")
    budget = str(budgets.set_budget(tx, DEFAULT_TENANT, wanted, by="local")["id"])
    row = UsageRow(
        budget=budget, period="total", unit="tokens", cap=1, granted=0, reserved=0, spent=0,
        warned=0, starts_at=None, ends_at=None,
    )  # fmt: skip
    open_usage(tx, DEFAULT_TENANT, row)
    return budget, "total", "tokens"


def moved(key: Key, amount: int, *, asks: bool) -> Moves:
    moves = Moves()
    moves.of(key).settle(0, spent=amount)
    moves.of(key).asks = asks
    return moves


async def test_what_is_not_there_is_left(database: SqliteDatabase) -> None:
    key = ("bud_none", "total", "tokens")

    left = await database.write(lambda tx: move_quietly(tx, moved(key, 1, asks=False)))

    assert left.keys() == {key}


async def test_exactly_what_fits_and_reaches_no_mark_is_done_and_nothing_else(
    database: SqliteDatabase,
) -> None:
    key = await database.write(opened)

    def told_apart(tx: Transaction) -> list[object]:
        wrong: list[object] = []
        for limit, share, warned, asks in product(LIMITS, SHARES, MARKS, ASKS):
            before, reserved = int(limit * share), limit // 10
            held = {"cap": limit, "reserved": reserved, "spent": before, "warned": warned}
            for amount in (0, 1, limit // 100):
                change(tx, usages, dict(zip(("budget", "period", "unit"), key, strict=True)), held)
                account = Account(limit=limit, reserved=reserved, spent=before)
                fits = not asks or account.takes(amount)
                is_told = any(crossed(warned, before + amount, limit)) or (
                    limit == 0 and warned < WARNED_AT[-1]  # which the other way decides
                )
                after = before + amount
                is_left = bool(move_quietly(tx, moved(key, amount, asks=asks)))
                found = usage(tx, key)
                spent = None if found is None else found.spent
                if (is_left, spent) != (not fits or is_told, before if is_left else after):
                    wrong.append((limit, before, warned, asks, amount, is_left, spent))
        return wrong

    assert await database.write(told_apart) == []


async def test_a_limit_that_no_whole_number_holds_a_hundred_times_is_left(
    database: SqliteDatabase,
) -> None:
    key = await database.write(opened)

    def tried(tx: Transaction) -> bool:
        change(tx, usages, {"budget": key[0]}, {"cap": EXACT_MAX})
        left = move_quietly(tx, moved(key, 1, asks=True))
        return bool(left) and move_all(tx, left).keys() == {key}

    assert await database.write(tried)
