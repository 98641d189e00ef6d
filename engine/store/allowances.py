"""What budgets allow, as people are shown it: limit, spent, kept back, left, and where it is heading."""

from collections.abc import Mapping, Sequence

from engine.clock import iso
from engine.ids import TenantId
from engine.rules import costs
from engine.rules.budget import Account, Window, forecast, percent, window
from engine.store import budgets
from engine.store.budgets import BudgetRow, UsageRow
from engine.store.database import Transaction
from engine.store.runs import RunRow
from engine.store.spending import Spender


def listing(tx: Transaction, tenant: TenantId) -> list[Mapping[str, object]]:
    """Every active budget of the tenant in its present period; one for each run, in every run."""
    return _pictures(tx, budgets.listing(tx, tenant), run=None)


def of_run(tx: Transaction, run: RunRow) -> list[Mapping[str, object]]:
    """The budgets above one run, each in the period that is charged now."""
    spender = Spender(
        tenant=run.tenant,
        run=run.id,
        root=run.root,
        workflow=run.workflow,
        started_by=run.started_by,
        reserved=None,
    )
    return _pictures(tx, budgets.applying(tx, run.tenant, spender.scopes(None)), run=run.root)


def picture(
    tx: Transaction, row: BudgetRow, usages: Sequence[UsageRow], *, run: str | None
) -> Mapping[str, object]:
    """One budget as `GET /api/budgets` answers it."""
    now = window(row.per, tx.now, run=run or "")
    periods = [
        _usage(tx, row, usage, now) for usage in usages if usage.period == now.key or not now.key
    ]
    told = {str(each["unit"]) for each in periods}
    fresh = [unit for unit in row.limits if unit.lower() not in told and now.key]
    periods += [_usage(tx, row, _untouched(row, unit, now), now) for unit in sorted(fresh)]
    return {
        "id": row.id,
        "scope": row.scope,
        "per": row.per,
        "limit": costs.to_json(row.limits),
        "then": row.then,
        "enforce": row.enforce,
        "more": None if row.more is None else costs.to_json(row.more),
        "approvers": row.approvers,
        "origin": row.origin,
        "set_at": None if row.set_at is None else iso(row.set_at),
        "usage": periods,
    }


def _pictures(
    tx: Transaction, rows: Sequence[BudgetRow], *, run: str | None
) -> list[Mapping[str, object]]:
    usages = budgets.usages_of(tx, [row.id for row in rows])
    return [
        picture(tx, row, [each for each in usages if each.budget == row.id], run=run)
        for row in rows
    ]


def _usage(tx: Transaction, row: BudgetRow, usage: UsageRow, now: Window) -> dict[str, object]:
    unit = usage.unit
    account = Account(limit=usage.limit, reserved=max(0, usage.reserved), spent=max(0, usage.spent))
    expected = forecast(usage.spent, now, now=tx.now)
    return {
        "period": usage.period,
        "unit": unit.lower(),
        "limit": costs.say(unit, usage.limit),
        "granted": costs.say(unit, usage.granted),
        "spent": costs.say(unit, usage.spent),
        "reserved": costs.say(unit, usage.reserved),
        "left": costs.say(unit, account.left),
        "percent": percent(usage.spent, usage.limit),
        "forecast": None if expected is None else costs.say(unit, expected),
        "ends_at": None if usage.ends_at is None else iso(usage.ends_at),
    }


def _untouched(row: BudgetRow, unit: str, now: Window) -> UsageRow:
    return UsageRow(
        budget=row.id,
        period=now.key,
        unit=unit,
        cap=row.limits[unit],
        granted=0,
        reserved=0,
        spent=0,
        warned=0,
        starts_at=now.starts_at,
        ends_at=now.ends_at,
    )
