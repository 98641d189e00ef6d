"""What a deed changes in what budgets hold: each change asks whether there is room, and makes it in the same statement.

Where others write at the same time all of a deed's changes are one statement, which locks what it changes
in one order. One process alone is quicker with a small statement for each.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import BigInteger, ColumnElement, and_, bindparam, case, or_, select, update

from engine.rules.accounts import Key
from engine.rules.budget import WARNED_AT
from engine.store.database import Driver, Transaction
from engine.store.prepared import Bound, Prepared
from engine.store.tables import usages

EXACT_MAX: Final = 9 * 10**16  # a hundred times as much is still a whole number to a database


@dataclass(slots=True)
class Move:
    """What one deed changes in one usage; where it `asks`, that must fit, and is so much anew."""

    reserved: int = 0
    spent: int = 0
    asked: int = 0
    asks: bool = False

    def ask(self, amount: int, *, reserved: int) -> None:
        """Ask for `amount` more, of which so much is kept back."""
        self.asked += amount
        self.reserved += reserved
        self.asks = True

    def settle(self, reserved: int, *, spent: int) -> None:
        """Let go of what was kept back, and count what was spent."""
        self.reserved -= reserved
        self.spent += spent


class Moves(dict[Key, Move]):
    """What one deed changes in several usages. Nobody adds to it once it was made."""

    __slots__ = ("_bound",)

    def __init__(self) -> None:
        super().__init__()
        self._bound: Sequence[tuple[Key, Bound]] | None = None

    def of(self, key: Key) -> Move:
        """What changes in one usage, to be added to."""
        found = self.get(key)
        if found is None:
            found = self[key] = Move()
        return found

    def bound(self, driver: Driver) -> Sequence[tuple[Key, Bound]]:
        """The statements that make them where nobody need be told, ready for a `driver` of SQLite's."""
        if self._bound is None:
            self._bound = [
                (
                    key,
                    (_QUIETLY_IF_IT_FITS if by.asks else _QUIETLY).bound(driver, _given(key, by)),
                )
                for key, by in self.items()
            ]
        return self._bound


_KEY: Final = (usages.c.budget, usages.c.period, usages.c.unit)
_HOLDS: Final = (
    usages.c.cap, usages.c.granted, usages.c.reserved, usages.c.spent, usages.c.warned,
)  # fmt: skip


def move_all(tx: Transaction, moves: Mapping[Key, Move]) -> dict[Key, Any]:
    """Make every one of `moves` whose usage is there and, where it asks, has room; gives what those hold then."""
    if not moves:
        return {}
    tx.may_have_written = True
    if _is_shared(tx):
        return _together(tx, moves)
    found: dict[Key, Any] = {}
    for key, by in moves.items():
        rows = (_IF_IT_FITS if by.asks else _ANYWAY).rows(tx, _given(key, by))
        if rows:
            found[key] = rows[0]
    return found


def _is_shared(tx: Transaction) -> bool:
    return (tx.sqlalchemy if tx.driver is None else tx.driver).dialect.name == "postgresql"


def _given(key: Key, by: Move) -> dict[str, object]:
    budget, period, unit = key
    return {
        "more_reserved": by.reserved,
        "more_spent": by.spent,
        "in_budget": budget,
        "in_period": period,
        "in_unit": unit,
    }


def move_quietly(tx: Transaction, moves: Moves) -> Mapping[Key, Move]:
    """Make those of `moves` that need nobody's attention, and give the others, of which nothing was made.

    Those are whose usage is not there, has no room, or comes to a mark at which somebody is to be told.
    Where others write at the same time, it is all of them.
    """
    driver = tx.driver
    if not moves or driver is None or _is_shared(tx):
        return moves
    tx.may_have_written = True
    return {
        key: moves[key]
        for key, (text, values) in moves.bound(driver)
        if driver.run(text, values) == 0
    }


def _together(tx: Transaction, moves: Mapping[Key, Move]) -> dict[Key, Any]:
    given: dict[str, object] = {}
    for number, (key, by) in enumerate(moves.items()):
        given[f"budget_{number}"], given[f"period_{number}"], given[f"unit_{number}"] = key
        given[f"reserved_{number}"], given[f"spent_{number}"] = by.reserved, by.spent
    statement = _statement(tuple(by.asks for by in moves.values()))
    return {(row.budget, row.period, row.unit): row for row in statement.rows(tx, given)}


@lru_cache(maxsize=64)
def _statement(asks: tuple[bool, ...]) -> Prepared:
    named = [_is(number) for number in range(len(asks))]
    # The one condition that lets anything be spent.
    fits = [
        and_(named[number], _room(number)) if is_asked else named[number]
        for number, is_asked in enumerate(asks)
    ]
    moved = (
        update(usages)
        .where(or_(*fits))
        .values(
            reserved=usages.c.reserved + _of("reserved", named),
            spent=usages.c.spent + _of("spent", named),
        )
        .returning(*_KEY, *_HOLDS)
    )
    if len(asks) > 1:
        # In one order, so that two runs never wait for each other.
        held = select(*_KEY).where(or_(*named)).order_by(*_KEY).with_for_update(key_share=True)
        locked = held.cte("locked")
        moved = moved.where(*(column == locked.c[column.name] for column in _KEY))
    return Prepared(moved)


def _is(number: int) -> ColumnElement[bool]:
    return and_(*(column == bindparam(f"{column.name}_{number}") for column in _KEY))


def _room(number: int) -> ColumnElement[bool]:
    spent, reserved = _amount(f"spent_{number}"), _amount(f"reserved_{number}")
    after = usages.c.spent + spent + usages.c.reserved + reserved
    return usages.c.cap + usages.c.granted >= after


def _of(what: str, named: list[ColumnElement[bool]]) -> ColumnElement[Any]:
    if len(named) == 1:
        return _amount(f"{what}_0")
    return case(*((each, _amount(f"{what}_{number}")) for number, each in enumerate(named)))


def _amount(name: str) -> ColumnElement[int]:
    return bindparam(name, type_=BigInteger())


_MORE_RESERVED: Final = bindparam("more_reserved", type_=BigInteger())
_MORE_SPENT: Final = bindparam("more_spent", type_=BigInteger())
_CHANGED: Final = (
    update(usages)
    .where(*(column == bindparam(f"in_{column.name}") for column in _KEY))
    .values(reserved=usages.c.reserved + _MORE_RESERVED, spent=usages.c.spent + _MORE_SPENT)
)
_SPENT: Final = usages.c.spent + _MORE_SPENT
_LIMIT: Final = usages.c.cap + usages.c.granted
_FITS: Final = _SPENT + usages.c.reserved + _MORE_RESERVED <= _LIMIT
_ANYWAY: Final = Prepared(_CHANGED.returning(*_HOLDS))
_IF_IT_FITS: Final = Prepared(_CHANGED.where(_FITS).returning(*_HOLDS))

# That no mark is reached (`engine.rules.budget.crossed`), in whole numbers that stay below 2^63.
_NEXT_MARK: Final = case(*((usages.c.warned < mark, mark) for mark in WARNED_AT))
_IS_QUIET: Final = or_(
    usages.c.warned >= WARNED_AT[-1],
    and_(_LIMIT < EXACT_MAX, _SPENT * 100 < _LIMIT * _NEXT_MARK),
)
_QUIETLY: Final = Prepared(_CHANGED.where(_IS_QUIET))
_QUIETLY_IF_IT_FITS: Final = Prepared(_CHANGED.where(_IS_QUIET, _FITS))
