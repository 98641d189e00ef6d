"""What `signoff.toml` says of budgets, as rows: written where it differs, at rest where gone."""

from dataclasses import replace

from engine.ids import TenantId
from engine.store import budgets
from engine.store.budgets import BudgetRow
from engine.store.database import Transaction
from engine.store.directory import ORIGIN, Difference


def write_budgets(tx: Transaction, tenant: TenantId, listed: tuple[BudgetRow, ...]) -> Difference:
    """Bring budgets in line; those that the API set stay, unless the file has them too."""
    have = {(row.scope, row.per): row for row in budgets.listing(tx, tenant)}
    wanted = {(row.scope, row.per): row for row in listed}
    added: list[str] = []
    changed: list[str] = []
    removed: list[str] = []
    for key, row in wanted.items():
        known = have.get(key)
        if known is not None and replace(known, id="", set_at=None) == row:
            continue
        budgets.keep(tx, row)
        (added if known is None else changed).append(f"budget:{row.scope}/{row.per}")
    for key, row in have.items():
        if row.origin == ORIGIN and key not in wanted:
            budgets.rest(tx, row)
            removed.append(f"budget:{row.scope}/{row.per}")
    return Difference(added=tuple(added), changed=tuple(changed), removed=tuple(removed))
