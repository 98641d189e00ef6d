"""The outbox as operators see it: what is waiting, what is dead, and sending the dead again."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, and_, case, func, select, update

from engine.ids import ApprovalId, DeliveryId, TenantId
from engine.store.database import Transaction
from engine.store.outbox import FREE, UNSURE
from engine.store.tables import messages, outbox

_TRIED = case((outbox.c.error.startswith(UNSURE), 1), else_=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxLine:
    """One delivery as operators see it."""

    id: DeliveryId
    approval: ApprovalId | None
    channel: str
    address: str
    kind: str
    event: str
    status: str
    attempts: int
    error: str | None
    created_at: datetime
    due_at: datetime
    ended_at: datetime | None


def redrive(tx: Transaction, tenant: TenantId, delivery: DeliveryId | None) -> int:
    """Make the dead `delivery`, or all of the tenant's, due as if never tried; gives how many.

    What may have arrived is still said to: its channel looks for it first, where it can.
    """
    which = and_(outbox.c.tenant == tenant, outbox.c.status == "dead")
    if delivery is not None:
        which = and_(which, outbox.c.id == delivery)
    tx.connection.execute(
        update(messages)
        .where(messages.c.state == "dead", messages.c.id.in_(select(outbox.c.message).where(which)))
        .values(state="planned")
    )
    again = tx.connection.execute(
        update(outbox)
        .where(which)
        .values(status="pending", attempts=_TRIED, due_at=tx.now, ended_at=None, **FREE)
    )
    tx.hint("outbox")
    return again.rowcount


def page(
    tx: Transaction, tenant: TenantId, *, status: str | None, before: str | None, limit: int
) -> list[OutboxLine]:
    """Up to `limit` deliveries, newest first, older than the delivery `before`."""
    which = outbox.c.tenant == tenant
    if status is not None:
        which = and_(which, outbox.c.status == status)
    if before is not None:
        which = and_(which, outbox.c.id < before)
    rows = tx.connection.execute(
        select(outbox, messages.c.approval)
        .outerjoin(messages, messages.c.id == outbox.c.message)
        .where(which)
        .order_by(outbox.c.id.desc())
        .limit(limit)
    )
    return [_line(row) for row in rows]


def counts(tx: Transaction, tenant: TenantId) -> dict[str, int]:
    """How many deliveries are in each state."""
    rows = tx.connection.execute(
        select(outbox.c.status, func.count())
        .where(outbox.c.tenant == tenant)
        .group_by(outbox.c.status)
    )
    return {row[0]: row[1] for row in rows}


def _line(row: Row[Any]) -> OutboxLine:
    return OutboxLine(
        id=DeliveryId(row.id),
        approval=None if row.approval is None else ApprovalId(row.approval),
        channel=row.channel,
        address=row.address,
        kind=row.kind,
        event=row.event,
        status=row.status,
        attempts=row.attempts,
        error=row.error,
        created_at=row.created_at,
        due_at=row.due_at,
        ended_at=row.ended_at,
    )
