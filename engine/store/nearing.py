"""Runs that wait for people while a budget nears its limit: nothing drives them, so they are looked up."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import (
    ColumnElement,
    Float,
    ScalarSelect,
    and_,
    cast,
    exists,
    func,
    not_,
    or_,
    select,
)

from engine.ids import RunId, TenantId
from engine.rules.accounts import TOLD_IN
from engine.rules.budget import Period, percent, window
from engine.store import budgets as stored
from engine.store.database import Transaction
from engine.store.looked_up import Rule, is_due, page
from engine.store.runs import RunRow
from engine.store.tables import approvals, budgets, journal, runs, usages

_ROUNDED: Final = 0.999999  # what a binary fraction may be off by; whoever judges counts exactly


@dataclass(frozen=True, slots=True, kw_only=True)
class Nearing(Rule):
    """It looks for budgets of which a share in per cent is used."""

    at: int


def waiting(
    tx: Transaction, tenant: TenantId, rules: Sequence[Nearing], *, after: RunId | None
) -> list[RunRow]:
    """Up to a hundred runs behind `after`, by id, that wait for people, and in which a rule may find something.

    They wait themselves, or for a run that they started and that waits. Near its limit is a budget of
    theirs alone, or a shared one to which they were charged.
    """
    found = [_found(tx, tenant, each) for each in rules]
    wait = (
        runs.c.status == "waiting",
        runs.c.ready_at.is_(None),
        runs.c.id.in_(_asking(tenant)),
    )
    return page(tx, tenant, found, *wait, after=after)


def _asking(tenant: TenantId) -> ScalarSelect[str]:
    """The runs of open approvals, and those above them."""
    asked = select(approvals.c.run).where(
        approvals.c.tenant == tenant, approvals.c.status == "open"
    )
    below = runs.alias("below")
    above = [
        select(column).where(below.c.id.in_(asked), column.is_not(None))
        for column in (below.c.parent, below.c.root)
    ]
    return asked.union(*above).scalar_subquery()


def _found(tx: Transaction, tenant: TenantId, rule: Nearing) -> ColumnElement[bool]:
    near = [_own(tx, tenant, rule.at)]
    shared = _shared(tx, tenant, rule.at)
    if shared:
        near.append(_charged(shared))
    return and_(is_due(tx, rule), or_(*near))


def _own(tx: Transaction, tenant: TenantId, at: int) -> ColumnElement[bool]:
    """Whether a budget that is the run's alone, or counts each run apart, is near."""
    root = func.coalesce(runs.c.root, runs.c.id)
    is_theirs = or_(
        budgets.c.scope.in_(["run:" + runs.c.id, "run:" + root]),
        and_(budgets.c.per == str(Period.RUN), usages.c.period == root),
    )
    limit = cast(usages.c.cap, Float) + cast(usages.c.granted, Float)
    return (
        exists()
        .where(budgets.c.id == usages.c.budget)
        .where(
            budgets.c.tenant == tenant,
            budgets.c.is_active,
            is_theirs,
            or_(usages.c.ends_at.is_(None), usages.c.ends_at > tx.now),
            cast(usages.c.spent, Float) * 100 >= limit * at * _ROUNDED,
        )
    )


def _shared(tx: Transaction, tenant: TenantId, at: int) -> list[str]:
    """The ids of budgets that several runs share, and that are near in their present period."""
    rows = tx.connection.execute(
        select(budgets.c.id, budgets.c.per).where(
            budgets.c.tenant == tenant,
            budgets.c.is_active,
            budgets.c.per != str(Period.RUN),
            not_(budgets.c.scope.like("run:%")),
        )
    ).all()
    found: list[str] = []
    for row in rows:
        period = window(Period(row.per), tx.now, run="").key
        used = stored.usages_of(tx, [row.id], period=period)
        if any(percent(max(0, each.spent), each.limit) >= at for each in used):
            found.append(row.id)
    return found


def _charged(shared: Collection[str]) -> ColumnElement[bool]:
    """Whether the run's journal charges one of these."""
    named = [journal.c.data.contains(f'"{budget}"', autoescape=True) for budget in shared]
    return exists().where(
        journal.c.run == runs.c.id, journal.c.kind.in_(sorted(TOLD_IN)), or_(*named)
    )
