"""Budgets as rows: what may be spent where, and what of it is spent and kept back in each period."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import Row, bindparam, select
from sqlalchemy.engine.result import result_tuple

from engine.clock import iso
from engine.digest import canonical
from engine.ids import TenantId
from engine.rules import costs
from engine.rules.accounts import Key
from engine.rules.budget import Enforce, Period, Then
from engine.rules.costs import Amounts
from engine.store import budget_revisions as revisions
from engine.store.database import Transaction
from engine.store.prepared import Prepared
from engine.store.statements import add, add_new, change, find, find_among, find_one
from engine.store.tables import budgets, usages


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetRow:
    """One budget. `more` is what an approval adds; without it, what the refused step lacks."""

    id: str
    tenant: TenantId
    scope: str
    per: Period
    limits: Amounts
    then: Then = Then.FAIL
    enforce: Enforce = Enforce.BEFORE
    more: Amounts | None = None
    approvers: str = "role:operator"
    is_active: bool = True
    origin: str = "api"
    set_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageRow:
    """What one budget holds of one unit in one period. `granted` is what approvals added to its cap."""

    budget: str
    period: str
    unit: str
    cap: int
    granted: int
    reserved: int
    spent: int
    warned: int
    starts_at: datetime | None
    ends_at: datetime | None

    @property
    def limit(self) -> int:
        """What may be spent in all."""
        return self.cap + self.granted


_ROW: Final = result_tuple(budgets.c.keys())


def applying(tx: Transaction, tenant: TenantId, scopes: Collection[str]) -> list[BudgetRow]:
    """The active budgets of these scopes, in the order of their ids."""
    rows = find_among(
        tx,
        budgets,
        {"tenant": tenant, "is_active": True},
        among={"scope": scopes},
        order_by=("id",),
    )
    return [_remembered(*row) for row in rows]


_BUT_OF_RUNS: Final = Prepared(
    select(budgets)
    .where(
        budgets.c.tenant == bindparam("of"),
        budgets.c.is_active,
        budgets.c.scope.not_like(f"{revisions.OF_RUNS}%"),
    )
    .order_by(budgets.c.id)
)


def but_those_of_runs(tx: Transaction, tenant: TenantId) -> list[BudgetRow]:
    """Every active budget of the tenant that is not a single run's, in the order of their ids."""
    return [_budget(row) for row in _BUT_OF_RUNS.rows(tx, {"of": tenant})]


def counts_steps(tx: Transaction, tenant: TenantId) -> bool:
    """Whether some active budget counts what every step takes: calls, steps or seconds."""
    rows = find(tx, budgets, {"tenant": tenant, "is_active": True})
    return any(costs.IMPLICIT & json.loads(row.limits).keys() for row in rows)


def listing(tx: Transaction, tenant: TenantId) -> list[BudgetRow]:
    """Every active budget of the tenant, those of single runs last."""
    rows = find(tx, budgets, {"tenant": tenant, "is_active": True}, order_by=("scope", "per"))
    found = [_budget(row) for row in rows]
    return sorted(found, key=lambda each: each.scope.startswith("run:"))


def get(tx: Transaction, tenant: TenantId, budget: str) -> BudgetRow | None:
    """The budget of that id, active or not."""
    row = find_one(tx, budgets, {"id": budget, "tenant": tenant})
    return None if row is None else _budget(row)


def named(tx: Transaction, tenant: TenantId, scope: str, per: Period) -> BudgetRow | None:
    """The budget of this scope and period, active or not."""
    row = find_one(tx, budgets, {"tenant": tenant, "scope": scope, "per": per}, lock=True)
    return None if row is None else _budget(row)


def keep(tx: Transaction, row: BudgetRow) -> str:
    """Keep the budget as it is now said, new or changed, and give its id.

    Periods that are not over are capped by it at once.
    """
    held = revisions.hold(tx, row.tenant)
    known = named(tx, row.tenant, row.scope, row.per)
    id = tx.ids.new("bud") if known is None else known.id
    values: dict[str, object] = {
        "limits": _text(row.limits),
        "then": row.then,
        "enforce": row.enforce,
        "more": None if row.more is None else _text(row.more),
        "approvers": row.approvers,
        "is_active": True,
        "origin": row.origin,
    }
    _renew(tx, replace(row, id=id), held, values)
    values["set_at"] = tx.now
    if known is None:
        own = {"tenant": row.tenant, "scope": row.scope, "per": row.per}
        add(tx, budgets, [{"id": id, **own, **values}])
        return id
    change(tx, budgets, {"id": id}, values)
    for usage in usages_of(tx, [id]):
        is_over = usage.ends_at is not None and usage.ends_at <= tx.now
        if not is_over and usage.unit in row.limits:
            where = {"budget": id, "period": usage.period, "unit": usage.unit}
            change(tx, usages, where, {"cap": row.limits[usage.unit]})
    return id


def rest(tx: Transaction, row: BudgetRow) -> None:
    """Let it hold nobody any more."""
    held = revisions.hold(tx, row.tenant)
    _renew(tx, row, held, {"is_active": False})
    change(tx, budgets, {"id": row.id}, {"is_active": False})


def _renew(tx: Transaction, row: BudgetRow, held: str, values: Mapping[str, object]) -> None:
    """Have nobody go by what is remembered of the tenant's budgets; `held` is their revision."""
    known = (row,) if held else (row, *listing(tx, row.tenant))
    is_of_runs = revisions.has_some_of_runs(held) or any(_is_of_run(each) for each in known)
    said = {**values, "id": row.id, "scope": row.scope, "per": row.per, "at": iso(tx.now)}
    revisions.renew(tx, row.tenant, held, said, is_of_runs=is_of_runs)


def _is_of_run(row: BudgetRow) -> bool:
    return row.scope.startswith(revisions.OF_RUNS)


def usages_of(
    tx: Transaction, wanted: Collection[str], *, period: str | None = None
) -> list[UsageRow]:
    """The usages of these budgets, of one period or of all."""
    where = {} if period is None else {"period": period}
    order = ("budget", "period", "unit")
    rows = find_among(tx, usages, where, among={"budget": wanted}, order_by=order)
    return [_usage(row) for row in rows]


def usage(tx: Transaction, key: Key, *, lock: bool = False) -> UsageRow | None:
    """One usage."""
    where = _named(key)
    row = find_one(tx, usages, where, lock=lock)
    return None if row is None else _usage(row)


def open_usage(tx: Transaction, tenant: TenantId, row: UsageRow) -> bool:
    """Begin a period, unless somebody did; says whether it was begun here."""
    names = ("budget", "period", "unit", "cap", "granted", "reserved", "spent", "warned")
    values = {name: getattr(row, name) for name in (*names, "starts_at", "ends_at")}
    return add_new(tx, usages, {"tenant": tenant, **values})


def mark_warned(tx: Transaction, key: Key, percent: int) -> None:
    """Remember up to which mark was told of."""
    where = _named(key)
    change(tx, usages, where, {"warned": percent})


def grant(tx: Transaction, key: Key, amount: int) -> None:
    """Let so much more be spent in this one period."""
    found = usage(tx, key, lock=True)
    if found is not None:
        where = _named(key)
        change(tx, usages, where, {"granted": found.granted + amount})


def _named(key: Key) -> dict[str, object]:
    return {"budget": key[0], "period": key[1], "unit": key[2]}


@lru_cache(maxsize=1024)
def _amounts(text: str) -> Amounts:
    found: dict[str, int] = json.loads(text)
    return MappingProxyType(found)


def _text(amounts: Amounts) -> str:
    return canonical(dict(amounts)).decode()


@lru_cache(maxsize=1024)
def _remembered(*values: Any) -> BudgetRow:
    """The budget in a row, read once for the same values."""
    return _budget(_ROW(values))


def _budget(row: Row[Any]) -> BudgetRow:
    return BudgetRow(
        id=row.id,
        tenant=TenantId(row.tenant),
        scope=row.scope,
        per=Period(row.per),
        limits=_amounts(row.limits),
        then=Then(row.then),
        enforce=Enforce(row.enforce),
        more=None if row.more is None else _amounts(row.more),
        approvers=row.approvers,
        is_active=row.is_active,
        origin=row.origin,
        set_at=row.set_at,
    )


def _usage(row: Row[Any]) -> UsageRow:
    return UsageRow(
        budget=row.budget,
        period=row.period,
        unit=row.unit,
        cap=row.cap,
        granted=row.granted,
        reserved=row.reserved,
        spent=row.spent,
        warned=row.warned,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
    )
