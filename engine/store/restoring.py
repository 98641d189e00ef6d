"""Rows that must not go on by themselves after the database was put back to an earlier state."""

from datetime import datetime

from sqlalchemy import delete, func, select, update

from engine.ids import DEFAULT_TENANT, TenantId
from engine.store.database import Transaction
from engine.store.outbox import EVERY, FREE, UNSURE
from engine.store.tables import messages, nonces, outbox, people, runs, sessions, sign_ins

SIGN_IN = "sign_in.%"  # what carries a link that is worthless by now


def stop_deliveries(tx: Transaction, why: str) -> int:
    """Give up whatever waits to be sent, for it may have been sent since; gives how much that is.

    A redrive sends it under the keys that it had. What carries a link for signing in is dropped.
    """
    waiting = outbox.c.status == "pending"
    posts = select(outbox.c.message).where(
        waiting, outbox.c.kind == "post", outbox.c.channel != EVERY
    )
    tx.connection.execute(
        update(messages)
        .where(messages.c.state == "planned", messages.c.id.in_(posts))
        .values(state="dead")
    )
    is_worthless = outbox.c.event.like(SIGN_IN)
    tx.connection.execute(
        update(outbox)
        .where(waiting, is_worthless)
        .values(status="dropped", payload="{}", ended_at=tx.now, **FREE)
    )
    stopped = tx.connection.execute(
        update(outbox)
        .where(waiting)
        .values(status="dead", error=f"{UNSURE}{why}", ended_at=tx.now, **FREE)
    )
    return stopped.rowcount


def end_sign_ins(tx: Transaction) -> None:
    """End every session, and make every link that signs in and every open page worthless."""
    tx.connection.execute(
        update(sessions).where(sessions.c.ended_at.is_(None)).values(ended_at=tx.now)
    )
    tx.connection.execute(delete(sign_ins))
    tx.connection.execute(delete(nonces))


def last_change(tx: Transaction) -> datetime | None:
    """When the last of its runs changed, which is about when a backup of it was taken."""
    return tx.connection.execute(select(func.max(runs.c.updated_at))).scalar()


def everybody(tx: Transaction) -> list[TenantId]:
    """The tenants that have people, and the one that is always there."""
    rows = tx.connection.execute(select(people.c.tenant).distinct())
    return sorted({TenantId(row.tenant) for row in rows} | {DEFAULT_TENANT})
