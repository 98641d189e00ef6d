"""Which budgets hold a run: remembered for as long as nobody changes one, and read anew as soon as somebody has."""

from collections.abc import Mapping, Sequence
from typing import Final

from engine.ids import TenantId
from engine.store import budgets
from engine.store.budget_revisions import OF_RUNS, has_some_of_runs
from engine.store.budgets import BudgetRow
from engine.store.database import Transaction

REMEMBERED_MAX: Final = 256  # revisions whose budgets are remembered

_ByScope = Mapping[str, Sequence[BudgetRow]]
_REMEMBERED: Final[dict[tuple[TenantId, str], _ByScope]] = {}


def applying(
    tx: Transaction, tenant: TenantId, scopes: Sequence[str], *, revision: str | None
) -> Sequence[BudgetRow]:
    """The active budgets of these scopes, in the order of their ids, as they are at `revision`.

    It was read in this very transaction; without one all are read.
    """
    if not revision:
        return budgets.applying(tx, tenant, scopes)
    known = _remembered(tx, tenant, revision)
    found = [row for scope in scopes for row in known.get(scope, ())]
    if has_some_of_runs(revision):
        own = [scope for scope in scopes if scope.startswith(OF_RUNS)]
        found += budgets.applying(tx, tenant, own)
    return sorted(found, key=_by_id) if len(found) > 1 else found


def _by_id(row: BudgetRow) -> str:
    return row.id


def _remembered(tx: Transaction, tenant: TenantId, revision: str) -> _ByScope:
    known = _REMEMBERED.get((tenant, revision))
    if known is not None:
        return known
    found: dict[str, list[BudgetRow]] = {}
    for row in budgets.but_those_of_runs(tx, tenant):
        found.setdefault(row.scope, []).append(row)
    if len(_REMEMBERED) >= REMEMBERED_MAX:
        _REMEMBERED.clear()
    _REMEMBERED[tenant, revision] = found
    return found
