"""What can be counted: how long people took to decide."""

from datetime import timedelta

from sqlalchemy import select

from engine.ids import TenantId
from engine.rules.states import ApprovalStatus
from engine.store.database import Transaction
from engine.store.tables import approvals, tenants

BY_PEOPLE = (
    ApprovalStatus.APPROVED,
    ApprovalStatus.REJECTED,
    ApprovalStatus.CHANGES_REQUESTED,
)


def decision_times(tx: Transaction, tenant: TenantId, *, limit: int) -> list[timedelta]:
    """How long the latest `limit` approvals that people decided had been open, the shortest first."""
    rows = tx.connection.execute(
        select(approvals.c.opened_at, approvals.c.ended_at)
        .where(
            approvals.c.tenant == tenant,
            approvals.c.status.in_(BY_PEOPLE),
            approvals.c.ended_at.is_not(None),
        )
        .order_by(approvals.c.opened_at.desc(), approvals.c.id.desc())
        .limit(limit)
    )
    return sorted(row.ended_at - row.opened_at for row in rows)


def touch(tx: Transaction) -> None:
    """Look one tenant up; whether there is any does not matter."""
    tx.connection.execute(select(tenants.c.id).limit(1)).all()
