"""What budgets allow, as people are shown it: limit, spent, kept back, left, and where it is heading."""

from collections.abc import Mapping, Sequence

from engine.clock import iso
from engine.ids import TenantId
from engine.rules import costs
from engine.rules.budget import Account, Period, Window, forecast, percent, window
from engine.store import budgets, lineage
from engine.store.books import Spender
from engine.store.budgets import BudgetRow, UsageRow
from engine.store.database import Transaction
from engine.store.runs import RunRow


def listing(tx: Transaction, tenant: TenantId) -> list[Mapping[str, object]]:
    """Every active budget of the tenant in its present period; one for each run, in every run."""
    return _pictures(tx, budgets.listing(tx, tenant), run=None)


def of_run(tx: Transaction, run: RunRow) -> list[Mapping[str, object]]:
    """The budgets above one run, each in the period that is charged now."""
    scopes = _scopes(tx, run)
    return _pictures(tx, budgets.applying(tx, run.tenant, scopes), run=run.root)


def shares(tx: Transaction, run: RunRow) -> dict[str, int]:
    """Of each budget above the run how many per cent are spent in the period that is charged now.

    They are named by scope, unit and period: `workflow:refund usd per day`.
    """
    found: dict[str, int] = {}
    for row in budgets.applying(tx, run.tenant, _scopes(tx, run)):
        period = window(row.per, tx.now, run=run.root).key
        used = {each.unit: each for each in budgets.usages_of(tx, [row.id], period=period)}
        each_time = "" if row.per is Period.TOTAL else f" per {row.per}"
        for unit in row.limits:
            usage = used.get(unit)
            share = 0 if usage is None else percent(max(0, usage.spent), usage.limit)
            found[f"{row.scope} {unit.lower()}{each_time}"] = share
    return found


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


def _scopes(tx: Transaction, run: RunRow) -> tuple[str, ...]:
    """Whose budgets a step of `run` is charged to that names no agent."""
    spender = Spender(
        tenant=run.tenant,
        run=run.id,
        root=run.root,
        parent=run.parent,
        workflow=run.workflow,
        started_by=run.started_by,
        reserved=None,
    )
    return spender.scopes(lineage.of(tx, run.parent), None)


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
