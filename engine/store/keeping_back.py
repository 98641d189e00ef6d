"""What is kept back for a run's steps, as its row remembers it, and what a step's cost means for its budgets."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from engine.digest import Spelled, quoted
from engine.rules.accounts import Charge
from engine.store.budgets import BudgetRow

T = TypeVar("T")

REMEMBERED_MAX: Final = 1024

_PLAIN: Final = json.JSONEncoder(separators=(",", ":"))  # read by nobody but us


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """What is kept back for one step: the cost that was asked, and where. Nobody changes it once it is made."""

    cost: Mapping[str, object]
    charges: Sequence[Charge]
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """What a step that asks so much is charged; nothing is kept back where no budget counts any of it.

    `told` is how its beginning says so, and `alone` how an entry does by itself, of the first attempt.
    """

    kept: Kept | None
    rows: Mapping[str, BudgetRow]
    told: Spelled
    alone: Spelled


Held = dict[str, Kept]  # by call path
Counted = tuple[
    BudgetRow, str, str
]  # a budget, and the period and the unit in which it counts something

# What was written before is not read again, and what was planned not planned again: both are made of their
# keys alone, whatever became of the transactions in which that was done.
_WRITTEN: Final[dict[str, Held]] = {}
_PLANNED: Final[dict[tuple[object, ...], Plan]] = {}
_COUNTED: Final[dict[tuple[object, ...], Sequence[Counted]]] = {}


def kept(cost: Mapping[str, object], charges: Sequence[Charge]) -> Kept:
    """What is kept back for one step."""
    text = _PLAIN.encode({"cost": dict(cost), "charges": charges})
    return Kept(cost, charges, text)


def plan(asks: Mapping[str, Any], charges: Sequence[Charge], rows: Mapping[str, BudgetRow]) -> Plan:
    """What a step that `asks` so is charged."""
    what = {name: asks[name] for name in ("cost", "takes", "agent") if name in asks}
    told = Spelled({**what, "charges": [list(each) for each in charges]})
    keeps = kept(asks.get("cost", {}), charges) if charges else None
    return Plan(keeps, rows, told, Spelled({**told, "attempt": 1}))


def read(text: str | None) -> Held:
    """What `written` made; the caller's own."""
    if text is None:
        return {}
    known = _WRITTEN.get(text)
    if known is None:
        found: Mapping[str, Any] = json.loads(text)
        known = {path: kept(each["cost"], each["charges"]) for path, each in found.items()}
    return dict(known)


def written(held: Held) -> str | None:
    """What is kept back, as the run's row has it; None for nothing."""
    if not held:
        return None
    text = f"{{{','.join([f'{quoted(path)}:{each.text}' for path, each in held.items()])}}}"
    if len(_WRITTEN) >= REMEMBERED_MAX:
        _WRITTEN.clear()
    _WRITTEN[text] = dict(held)
    return text


def planned(key: tuple[object, ...], make: Callable[[], Plan]) -> Plan:
    """What was made for `key` before, or is now. All that it is made of must be in the key, or never change."""
    known = _PLANNED.get(key)
    return _remember(_PLANNED, key, make()) if known is None else known


def counted(key: tuple[object, ...], make: Callable[[], Sequence[Counted]]) -> Sequence[Counted]:
    """As `planned`, for who counts what."""
    known = _COUNTED.get(key)
    return _remember(_COUNTED, key, make()) if known is None else known


def _remember(known: dict[tuple[object, ...], T], key: tuple[object, ...], value: T) -> T:
    if len(known) >= REMEMBERED_MAX:
        known.clear()
    known[key] = value
    return value
