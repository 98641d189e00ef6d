"""What entries of a journal mean for budgets: kept back before a step, settled after it, in one transaction.

`budget.reserved` asks for what a step may cost, and the step's end says what it came to. A run's row
remembers what is kept back for it, so that neither a crash nor whoever ends it from outside loses it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from engine.rules import costs
from engine.rules.accounts import (
    BEGUN,
    SETTLED,
    SETTLING,
    WITHHELD,
    Charge,
    kept_back,
    settled,
)
from engine.rules.budget import Enforce, window
from engine.rules.costs import Amounts
from engine.rules.money import is_currency
from engine.rules.wording import BadRule
from engine.store import lineage
from engine.store.applying import applying
from engine.store.books import ENDS, Books, Spender, write
from engine.store.budgets import BudgetRow
from engine.store.database import Transaction
from engine.store.keeping_back import Counted, Kept, Plan, counted, plan, planned, read, written
from engine.store.new_entry import NewEntry

SECONDS_OF_AN_HOUR: Final = 3600


@dataclass(frozen=True, slots=True)
class Charged:
    """The entries as they are to be stored, and what is kept back for the run afterwards."""

    entries: Sequence[NewEntry]
    reserved: str | None


def charge(tx: Transaction, spender: Spender, entries: Sequence[NewEntry]) -> Charged:
    """Reserve and settle what `entries` say, and give them with what is to be journaled besides.

    Raises:
        BudgetExceeded: if a budget has not enough left; then nothing of the deed may be kept.
        BadRule: `mixed_currencies`, if a budget above counts in another currency.
    """
    books = Books(spender, read(spender.reserved))
    for entry in entries:
        asks = kept_back(entry.kind, entry.data)
        if asks is not None:
            _reserve(tx, books, entry, asks)
        elif entry.kind in SETTLING:
            _settle(tx, books, entry)
        else:
            if entry.kind in ENDS:
                _settle_the_rest(books)
            books.entries.append(entry)
    write(tx, books)
    return Charged(books.entries, written(books.held))


def are_about_money(entries: Sequence[NewEntry]) -> bool:
    """Whether any of them asks budgets for anything, or says what something cost."""
    for entry in entries:
        if entry.kind in SETTLING:
            if entry.data.get("cost"):
                return True
        elif kept_back(entry.kind, entry.data) is not None:
            return True
    return False


def _reserve(tx: Transaction, books: Books, entry: NewEntry, asks: Mapping[str, Any]) -> None:
    found = _plan(tx, books, asks)
    if found.kept is None:  # no budget counts any of it
        if entry.kind == BEGUN:
            told = {key: value for key, value in entry.data.items() if key != WITHHELD}
            books.entries.append(replace(entry, data=told))
        return
    books.rows.update(found.rows)
    books.keep_back(found.kept)
    books.held[str(entry.path)] = found.kept
    data: Mapping[str, object] = found.alone
    if entry.kind == BEGUN:
        data = {**entry.data, WITHHELD: found.told}
    elif asks.get("attempt") != 1:
        data = {**asks, **found.told}
    books.entries.append(NewEntry(kind=entry.kind, name=entry.name, path=entry.path, data=data))


def _plan(tx: Transaction, books: Books, asks: Mapping[str, Any]) -> Plan:
    """What a step that `asks` so is charged: the same while nobody changes a budget and no period ends."""
    if not books.spender.revision:
        return _planned(tx, books, asks)
    takes = tuple(asks["takes"].items()) if "takes" in asks else ()
    key = _now(tx, books, (tuple(asks["cost"].items()), takes, asks.get("agent")))
    return planned(key, lambda: _planned(tx, books, asks))


def _now(tx: Transaction, books: Books, what: tuple[object, ...]) -> tuple[object, ...]:
    """All on which it depends who counts `what`, and in which period: every one ends with an hour."""
    *who, _reserved, revision = books.spender
    return (*who, revision, int(tx.now.timestamp()) // SECONDS_OF_AN_HOUR, *what)


def _planned(tx: Transaction, books: Books, asks: Mapping[str, Any]) -> Plan:
    asked = {**costs.parse_amounts(asks.get("takes", {})), **costs.parse_amounts(asks["cost"])}
    charges: list[Charge] = []
    rows: dict[str, BudgetRow] = {}
    for row, period, unit, amount in _charges(tx, books, asks.get("agent"), asked):
        # What is judged afterwards is not kept back: it only must not have gone over before.
        reserved = 0 if row.enforce is Enforce.AFTER else amount
        charges.append((row.id, period, unit, reserved, amount))
        rows[row.id] = row
    return plan(asks, charges, rows)


def _settle(tx: Transaction, books: Books, entry: NewEntry) -> None:
    kept = books.held.pop(str(entry.path), None)
    if kept is not None and entry.data.get("cost") == kept.cost:
        # It came to what it had asked for, as nearly every step does.
        books.entries.append(entry)
        books.let_go(kept)
        return
    if kept is not None and "cost" not in entry.data and not entry.data.get("no_effect"):
        # Whoever else says how it ended, a probe or an operator, does not know what it came to.
        entry = replace(entry, data={**entry.data, "cost": kept.cost})
    books.entries.append(entry)
    cost = costs.parse_amounts(entry.data.get("cost") or {})
    _count_unasked(tx, books, entry, _unasked(cost, kept))
    if kept is None:
        return
    over: dict[str, int] = {}
    for (key, reserved, spent), charge in zip(
        settled(kept.charges, cost), kept.charges, strict=True
    ):
        books.move(key).settle(reserved, spent=spent)
        if spent > (asked := charge[4]):
            over[key[2]] = spent - asked
    if over:
        data = {"step": entry.name, "path": entry.path, "over": costs.to_json(over)}
        books.entries.append(NewEntry(kind="budget.overrun", data=data))


def _unasked(cost: Amounts, kept: Kept | None) -> dict[str, int]:
    """What of `cost` nobody had said beforehand."""
    if kept is None:
        return dict(cost)
    asked = {*costs.parse_amounts(kept.cost), *(charge[2] for charge in kept.charges)}
    return {unit: amount for unit, amount in cost.items() if unit not in asked}


def _count_unasked(
    tx: Transaction, books: Books, entry: NewEntry, unasked: Mapping[str, int]
) -> None:
    # Nothing was kept back for it, and it may be more than is left: spent is spent, and is counted.
    agent = entry.data.get("agent")
    try:
        charged = _charges(tx, books, agent, unasked) if unasked else []
    except (
        BadRule
    ):  # money of another currency than a budget's counts nowhere, and is told all the same
        said = {"step": entry.name, "path": entry.path, "over": costs.to_json(unasked)}
        books.entries.append(NewEntry(kind="budget.overrun", data=said))
        others = {unit: amount for unit, amount in unasked.items() if not is_currency(unit)}
        charged = _charges(tx, books, agent, others)
    for row, period, unit, amount in charged:
        books.rows[row.id] = row
        books.move((row.id, period, unit)).settle(0, spent=amount)
    if charged:
        at = books.entries.index(entry)
        told = [[row.id, period, unit, amount] for row, period, unit, amount in charged]
        books.entries[at] = replace(entry, data={**entry.data, "charged": told})


def _settle_the_rest(books: Books) -> None:
    # Whoever ends a run inside a step never learns what that came to: what was kept back counts.
    for path, each in sorted(books.held.items()):
        books.let_go(each)
        books.entries.append(NewEntry(kind=SETTLED, path=path, data={"cost": each.cost}))
    books.held.clear()


def _charges(
    tx: Transaction, books: Books, agent: object, asked: Amounts
) -> list[tuple[BudgetRow, str, str, int]]:
    found = _counted(tx, books, agent, tuple(asked))
    return [(row, period, unit, asked[unit]) for row, period, unit in found]


def _counted(
    tx: Transaction, books: Books, agent: object, units: tuple[str, ...]
) -> Sequence[Counted]:
    """Which budgets count these units for the run, and in which periods."""
    if not books.spender.revision:
        return _looked_up(tx, books, agent, units)
    key = _now(tx, books, (agent, units))
    return counted(key, lambda: _looked_up(tx, books, agent, units))


def _looked_up(
    tx: Transaction, books: Books, agent: object, units: tuple[str, ...]
) -> Sequence[Counted]:
    spender = books.spender
    if books.uppers is None:
        books.uppers = lineage.of(tx, spender.parent)
    scopes = spender.scopes(books.uppers, agent if isinstance(agent, str) else None)
    found: list[Counted] = []
    currency = next((unit for unit in units if is_currency(unit)), None)
    for row in applying(tx, spender.tenant, scopes, revision=spender.revision):
        if currency is not None and currency not in row.limits:
            costs.check_currencies(dict.fromkeys(units, 0), row.limits)
        period = window(row.per, tx.now, run=spender.root).key
        found += [(row, period, unit) for unit in row.limits if unit in units]
    return found
