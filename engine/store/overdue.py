"""Runs whose approval has been open for too long: nothing drives them, so they are looked up."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import ColumnElement, and_, exists, not_, or_, select, true

from engine.ids import RunId, TenantId
from engine.store.database import Transaction
from engine.store.readings import FIRED
from engine.store.runs import RunRow, run_of
from engine.store.tables import approvals, journal, runs

PAGE: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Late:
    """What one rule looks for: approvals open for longer than `after`, in runs of one workflow or of all.

    Whoever it found within `window` it does not look at again.
    """

    name: str
    after: timedelta
    workflow: str | None
    window: timedelta


def waiting(
    tx: Transaction, tenant: TenantId, rules: Sequence[Late], *, after: RunId | None
) -> list[RunRow]:
    """Up to a hundred runs behind `after`, by id, in which a rule finds something."""
    if not rules:
        return []
    rows = tx.connection.execute(
        select(runs)
        .where(
            runs.c.tenant == tenant,
            runs.c.id > (after or ""),
            runs.c.ended_at.is_(None),
            runs.c.status != "paused",
            or_(*(_looked_for(tx, tenant, rule) for rule in rules)),
        )
        .order_by(runs.c.id)
        .limit(PAGE)
    )
    return [run_of(row) for row in rows]


def _looked_for(tx: Transaction, tenant: TenantId, rule: Late) -> ColumnElement[bool]:
    found = exists().where(
        journal.c.run == runs.c.id,
        journal.c.kind == FIRED,
        journal.c.name == rule.name,
        journal.c.at > tx.now - rule.window,
    )
    late = select(approvals.c.run).where(
        approvals.c.tenant == tenant,
        approvals.c.status == "open",
        approvals.c.opened_at < tx.now - rule.after,
    )
    about = true() if rule.workflow is None else runs.c.workflow == rule.workflow
    return and_(about, runs.c.id.in_(late), not_(found))
