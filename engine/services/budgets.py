"""Budgets for those who set and watch them."""

from collections.abc import Mapping
from dataclasses import dataclass

from engine.errors import NotFound
from engine.ids import RunId, TenantId
from engine.rules import costs
from engine.rules.approvers import parse_approvers
from engine.rules.budget import Enforce, Period, Then, parse_choice, parse_scope
from engine.rules.wording import BadRule
from engine.store import allowances, audit, budgets
from engine.store.allowances import shares
from engine.store.budgets import BudgetRow
from engine.store.database import Transaction

__all__ = ["Wanted", "checked", "listing", "of_run", "remove", "set_budget", "shares", "show"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A budget as written; nothing in it is trusted yet.

    `then` says what becomes of a run whose next step no longer fits: fail, wait for an approval of
    `more`, or rollback. `enforce` is before, or after the step that went over.
    """

    limit: object
    scope: object = "tenant"
    per: object = "total"
    then: object = "fail"
    enforce: object = "before"
    more: object = None
    approvers: object = "role:operator"


def checked(tenant: TenantId, wanted: Wanted, *, origin: str) -> BudgetRow:
    """The budget, read strictly; it has no id yet.

    Raises:
        BadRule: `bad_budget`, `bad_scope`, `bad_cost`, `bad_money` or `mixed_currencies`.
    """
    limits = costs.parse_amounts(wanted.limit)
    if not limits:
        raise BadRule("bad_budget", 'A budget has a limit, such as {"usd": "100.00"}.')
    more = None if wanted.more is None else costs.parse_amounts(wanted.more)
    costs.check_currencies(limits, more or {})
    named = parse_approvers(wanted.approvers)
    return BudgetRow(
        id="",
        tenant=tenant,
        scope=parse_scope(wanted.scope),
        per=Period(parse_choice(wanted.per, Period)),
        limits=limits,
        then=Then(parse_choice(wanted.then, Then)),
        enforce=Enforce(parse_choice(wanted.enforce, Enforce)),
        more=more,
        approvers=",".join(str(each) for each in named),
        origin=origin,
    )


def set_budget(
    tx: Transaction, tenant: TenantId, wanted: Wanted, *, by: str, origin: str = "api"
) -> Mapping[str, object]:
    """Set the budget of this scope and period, new or changed; what is spent already stays spent.

    A lower limit than what is spent lets nothing more begin, and stops nothing that has begun.

    Raises:
        BadRule: as `checked`.
    """
    row = checked(tenant, wanted, origin=origin)
    found = budgets.keep(tx, row)
    said = {
        "scope": row.scope,
        "per": row.per,
        "limit": costs.to_json(row.limits),
        "then": row.then,
    }
    audit.append(tx, tenant, "budget.set", {**said, "by": by})
    return show(tx, tenant, found)


def of_run(
    tx: Transaction, tenant: TenantId, run: RunId, limit: object, *, by: str
) -> Mapping[str, object]:
    """Give one run a budget of its own.

    Raises:
        BadRule: as `checked`.
    """
    wanted = Wanted(scope=f"run:{run}", limit=limit)
    return set_budget(tx, tenant, wanted, by=by)


def remove(tx: Transaction, tenant: TenantId, budget: str, *, by: str) -> None:
    """Let a budget hold nobody any more; what it counted stays on record.

    Raises:
        NotFound: if this tenant has no such budget, or has it no more.
    """
    row = budgets.get(tx, tenant, budget)
    if row is None or not row.is_active:
        raise NotFound(f"There is no budget {budget}.")
    budgets.rest(tx, row)
    audit.append(tx, tenant, "budget.removed", {"scope": row.scope, "per": row.per, "by": by})


def listing(tx: Transaction, tenant: TenantId) -> list[Mapping[str, object]]:
    """Every active budget with what is spent of it in its present period."""
    return allowances.listing(tx, tenant)


def show(tx: Transaction, tenant: TenantId, budget: str) -> Mapping[str, object]:
    """One budget, with every period that it has counted.

    Raises:
        NotFound: if this tenant has no such budget.
    """
    row = budgets.get(tx, tenant, budget)
    if row is None:
        raise NotFound(f"There is no budget {budget}.")
    usages = budgets.usages_of(tx, [row.id])
    run = row.scope.removeprefix("run:") if row.scope.startswith("run:") else None
    return allowances.picture(tx, row, usages, run=run)
