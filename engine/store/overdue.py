"""Runs whose approval has been open for too long: nothing drives them, so they are looked up."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, and_, select

from engine.ids import RunId, TenantId
from engine.store.database import Transaction
from engine.store.looked_up import Rule, is_due, page
from engine.store.runs import RunRow
from engine.store.tables import approvals, runs


@dataclass(frozen=True, slots=True, kw_only=True)
class Late(Rule):
    """It looks for approvals that have been open for longer than `after`."""

    after: timedelta


def waiting(
    tx: Transaction, tenant: TenantId, rules: Sequence[Late], *, after: RunId | None
) -> list[RunRow]:
    """Up to a hundred runs behind `after`, by id, in which a rule finds something."""
    goes_on = (runs.c.ended_at.is_(None), runs.c.status != "paused")
    return page(tx, tenant, [_found(tx, tenant, each) for each in rules], *goes_on, after=after)


def _found(tx: Transaction, tenant: TenantId, rule: Late) -> ColumnElement[bool]:
    late = select(approvals.c.run).where(
        approvals.c.tenant == tenant,
        approvals.c.status == "open",
        approvals.c.opened_at < tx.now - rule.after,
    )
    return and_(runs.c.id.in_(late), is_due(tx, rule))
