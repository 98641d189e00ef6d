"""Reads `[[budgets]]`: what may be spent, where, and in which period."""

from collections.abc import Sequence
from typing import Final

from bot.config.notes import Notes, Raw
from engine.ids import TenantId
from engine.rules.wording import BadRule, is_sequence, is_table, shown
from engine.services.budgets import Wanted, checked
from engine.store.budgets import BudgetRow
from engine.store.directory import ORIGIN

KEYS: Final = ("scope", "per", "limit", "then", "enforce", "more", "approvers")


def read_budgets(raw: Raw, notes: Notes, *, tenant: TenantId) -> tuple[BudgetRow, ...]:
    """Every `[[budgets]]`; what is wrong is noted, and two of one scope and period are."""
    path = ("budgets",)
    found: list[BudgetRow] = []
    for table in _tables(raw.get("budgets", []), notes):
        notes.only(table, path, KEYS)
        if "limit" not in table:
            notes.add(path, 'A budget has no limit. Write limit = { usd = "100.00" }.')
            continue
        try:
            wanted = Wanted(**{key: table[key] for key in KEYS if key in table})
            row = checked(tenant, wanted, origin=ORIGIN)
        except BadRule as refused:
            notes.add(path, str(refused))
            continue
        if any((each.scope, each.per) == (row.scope, row.per) for each in found):
            notes.add(path, f"There are two budgets of {row.scope} per {row.per}. Keep one.")
        found.append(row)
    return tuple(found)


def _tables(raw: object, notes: Notes) -> Sequence[Raw]:
    if not is_sequence(raw) or not all(is_table(each) for each in raw):
        notes.add(("budgets",), f"budgets is {shown(raw)}; write each as [[budgets]].")
        return []
    return [{str(key): value for key, value in each.items()} for each in raw if is_table(each)]
