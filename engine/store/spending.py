"""What entries of a journal mean for budgets: kept back before a step, settled after it, in one transaction.

`budget.reserved` asks for what a step may cost, and the step's end says what it came to. A run's row
remembers what is kept back for it, so that neither a crash nor whoever ends it from outside loses it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from engine.ids import RunId, TenantId
from engine.rules import costs
from engine.rules.accounts import RESERVED, SETTLED, SETTLING, Held, Key, settled
from engine.rules.budget import Account, Enforce, crossed, window
from engine.rules.costs import Amounts
from engine.rules.edges import RUN_EDGES
from engine.rules.money import is_currency
from engine.rules.states import TERMINAL
from engine.rules.wording import BadRule
from engine.store import budget_warnings, budgets, lineage, shortages
from engine.store.applying import applying
from engine.store.budgets import BudgetRow, UsageRow
from engine.store.database import Transaction
from engine.store.lineage import Above
from engine.store.moves import Move, move_all
from engine.store.new_entry import NewEntry

_HELD: Final = json.JSONEncoder(separators=(",", ":"))  # read by nobody but us
ENDS: Final = frozenset(edge.entry_kind for edge in RUN_EDGES if edge.after in TERMINAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spender:
    """The run that spends, as its row has it. `reserved` is what is kept back for it, as text.

    `revision` is that of the tenant's budgets, if it was read with the row.

    What is for each run is for the whole tree that begins with `root`, and whatever a run is charged
    to its child is charged to as well: all runs above it pay, and all their workflows.
    """

    tenant: TenantId
    run: RunId
    root: RunId
    parent: str | None
    workflow: str
    started_by: str
    reserved: str | None
    revision: str | None = None

    def scopes(self, uppers: Above, agent: str | None) -> tuple[str, ...]:
        """Whose budgets are charged, for a step that is done for `agent` below the runs `uppers`."""
        key = self.started_by.removeprefix("key:") if self.started_by.startswith("key:") else None
        named = agent or key
        found = ["tenant", f"workflow:{self.workflow}", f"run:{self.run}"]
        for each in uppers:
            found += [f"workflow:{each.workflow}", f"run:{each.id}"]
        if named is not None:
            found.append(f"agent:{named}")
        return tuple(dict.fromkeys(found))


@dataclass(frozen=True, slots=True)
class Charged:
    """The entries as they are to be stored, and what is kept back for the run afterwards."""

    entries: Sequence[NewEntry]
    reserved: str | None


@dataclass(slots=True)
class _Books:
    """What one append changes, before any of it is written."""

    spender: Spender
    held: Held
    entries: list[NewEntry] = field(default_factory=list[NewEntry])
    moves: dict[Key, Move] = field(default_factory=dict[Key, Move])
    rows: dict[str, BudgetRow] = field(default_factory=dict[str, BudgetRow])
    uppers: Above | None = None  # once they were asked for

    def move(self, key: Key) -> Move:
        """What changes in one usage, to be added to."""
        return self.moves.setdefault(key, Move())


def charge(tx: Transaction, spender: Spender, entries: Sequence[NewEntry]) -> Charged:
    """Reserve and settle what `entries` say, and give them with what is to be journaled besides.

    Raises:
        BudgetExceeded: if a budget has not enough left; then nothing of the deed may be kept.
        BadRule: `mixed_currencies`, if a budget above counts in another currency.
    """
    held: Held = {} if spender.reserved is None else json.loads(spender.reserved)
    books = _Books(spender, held)
    for entry in entries:
        if entry.kind == RESERVED:
            _reserve(tx, books, entry)
        elif entry.kind in SETTLING:
            _settle(tx, books, entry)
        else:
            if entry.kind in ENDS:
                _settle_the_rest(books)
            books.entries.append(entry)
    _write(tx, books)
    return Charged(books.entries, _HELD.encode(books.held) if books.held else None)


def are_about_money(entries: Sequence[NewEntry]) -> bool:
    """Whether any of them asks budgets for anything, or says what something cost."""
    return any(
        entry.kind == RESERVED or (entry.kind in SETTLING and bool(entry.data.get("cost")))
        for entry in entries
    )


def _reserve(tx: Transaction, books: _Books, entry: NewEntry) -> None:
    cost = costs.parse_amounts(entry.data.get("cost", {}))
    charges = _charges(tx, books, entry, _asked(cost, entry.data))
    if not charges:
        return  # no budget counts any of it
    kept: list[list[object]] = []
    for budget, period, unit, amount in charges:
        # What is judged afterwards is not kept back: it only must not have gone over before.
        reserved = 0 if books.rows[budget].enforce is Enforce.AFTER else amount
        kept.append([budget, period, unit, reserved, amount])
        books.move((budget, period, unit)).ask(amount, reserved=reserved)
    books.held[str(entry.path)] = {"cost": entry.data.get("cost", {}), "charges": kept}
    data = {**entry.data, "charges": kept}
    books.entries.append(NewEntry(kind=entry.kind, name=entry.name, path=entry.path, data=data))


def _asked(cost: Amounts, data: Mapping[str, object]) -> dict[str, int]:
    """What a step asks of budgets: what it says, and what every step takes."""
    implicit = data.get("takes")
    taken = costs.parse_amounts(implicit) if implicit is not None else {}
    return {**taken, **cost}


def _settle(tx: Transaction, books: _Books, entry: NewEntry) -> None:
    kept = books.held.pop(str(entry.path), None)
    if kept is not None and "cost" not in entry.data and not entry.data.get("no_effect"):
        # Whoever else says how it ended, a probe or an operator, does not know what it came to.
        entry = replace(entry, data={**entry.data, "cost": kept["cost"]})
    books.entries.append(entry)
    cost = costs.parse_amounts(entry.data.get("cost") or {})
    _count_unasked(tx, books, entry, _unasked(cost, kept))
    if kept is None:
        return
    over: dict[str, int] = {}
    charges = kept["charges"]
    for (key, reserved, spent), charge in zip(settled(charges, cost), charges, strict=True):
        books.move(key).settle(reserved, spent=spent)
        if spent > (asked := charge[4]):
            over[key[2]] = spent - asked
    if over:
        data = {"step": entry.name, "path": entry.path, "over": costs.to_json(over)}
        books.entries.append(NewEntry(kind="budget.overrun", data=data))


def _unasked(cost: Amounts, kept: Mapping[str, Any] | None) -> dict[str, int]:
    """What of `cost` nobody had said beforehand."""
    if kept is None:
        return dict(cost)
    asked = {*costs.parse_amounts(kept["cost"]), *(charge[2] for charge in kept["charges"])}
    return {unit: amount for unit, amount in cost.items() if unit not in asked}


def _count_unasked(
    tx: Transaction, books: _Books, entry: NewEntry, unasked: Mapping[str, int]
) -> None:
    # Nothing was kept back for it, and it may be more than is left: spent is spent, and is counted.
    try:
        charged = _charges(tx, books, entry, unasked) if unasked else []
    except (
        BadRule
    ):  # money of another currency than a budget's counts nowhere, and is told all the same
        said = {"step": entry.name, "path": entry.path, "over": costs.to_json(unasked)}
        books.entries.append(NewEntry(kind="budget.overrun", data=said))
        counted = {unit: amount for unit, amount in unasked.items() if not is_currency(unit)}
        charged = _charges(tx, books, entry, counted)
    for budget, period, unit, amount in charged:
        books.move((budget, period, unit)).settle(0, spent=amount)
    if charged:
        at = books.entries.index(entry)
        books.entries[at] = replace(entry, data={**entry.data, "charged": charged})


def _settle_the_rest(books: _Books) -> None:
    # Whoever ends a run inside a step never learns what that came to: what was kept back counts.
    for path, kept in sorted(books.held.items()):
        for budget, period, unit, reserved, asked in kept["charges"]:
            books.move((budget, period, unit)).settle(reserved, spent=asked)
        books.entries.append(NewEntry(kind=SETTLED, path=path, data={"cost": kept["cost"]}))
    books.held.clear()


def _charges(
    tx: Transaction, books: _Books, entry: NewEntry, asked: Amounts
) -> list[tuple[str, str, str, int]]:
    agent = entry.data.get("agent")
    if books.uppers is None:
        books.uppers = lineage.of(tx, books.spender.parent)
    scopes = books.spender.scopes(books.uppers, agent if isinstance(agent, str) else None)
    found: list[tuple[str, str, str, int]] = []
    currency = costs.currency_of(asked)
    spender = books.spender
    for row in applying(tx, spender.tenant, scopes, revision=spender.revision):
        if currency is not None and currency not in row.limits:
            costs.check_currencies(asked, row.limits)
        books.rows[row.id] = row
        period = window(row.per, tx.now, run=books.spender.root).key
        found += [(row.id, period, unit, asked[unit]) for unit in row.limits if unit in asked]
    return found


def _write(tx: Transaction, books: _Books) -> None:
    said: list[NewEntry] = []
    done = move_all(tx, books.moves)
    for key in sorted(books.moves):
        after = done.get(key) or _opened_or_short(tx, books, key, books.moves[key])
        if after is None:
            continue
        limit = after.cap + after.granted
        reached = list(crossed(after.warned, after.spent, limit))
        if reached:
            budgets.mark_warned(tx, key, reached[-1])
            row = books.rows.get(key[0]) or budgets.get(tx, books.spender.tenant, key[0])
            if row is not None:
                account = Account(limit=limit, reserved=after.reserved, spent=after.spent)
                said += budget_warnings.warned(
                    tx, row, key, account, reached, run=books.spender.run
                )
    at = _before_the_end(books.entries)
    books.entries[at:at] = said


def _before_the_end(entries: Sequence[NewEntry]) -> int:
    return next((at for at, entry in enumerate(entries) if entry.kind in ENDS), len(entries))


def _opened_or_short(tx: Transaction, books: _Books, key: Key, by: Move) -> Any:
    """What a usage holds that could not be changed at first, for it was not there yet.

    Raises:
        BudgetExceeded: if it was there, and has not enough left.
    """
    after = None
    if budgets.usage(tx, key) is None:
        _open(tx, books, key)
        after = move_all(tx, {key: by}).get(key)
    if after is None and by.asks:
        row = books.rows[key[0]]
        raise shortages.short(row, _found(tx, row, key, by), asked=by.asked)
    return after


def _open(tx: Transaction, books: _Books, key: Key) -> None:
    row = books.rows[key[0]]
    period = window(row.per, tx.now, run=books.spender.root)
    begun = UsageRow(
        budget=row.id,
        period=period.key,
        unit=key[2],
        cap=row.limits[key[2]],
        granted=0,
        reserved=0,
        spent=0,
        warned=0,
        starts_at=period.starts_at,
        ends_at=period.ends_at,
    )
    budgets.open_usage(tx, books.spender.tenant, begun)


def _found(tx: Transaction, row: BudgetRow, key: Key, by: Move) -> UsageRow:
    """The usage as it is once everything but what was asked for is done."""
    found = budgets.usage(tx, key)
    if found is None:
        raise LookupError(f"The usage {key} is gone.")
    anew = 0 if row.enforce is Enforce.AFTER else by.asked
    return replace(
        found, spent=found.spent + by.spent, reserved=found.reserved + by.reserved - anew
    )
