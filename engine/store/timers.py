"""Rungs as rows: each is due at a moment, and fires once or is cancelled."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import bindparam, delete, func, select

from engine.ids import ApprovalId, TenantId
from engine.rules.ladder import Rung
from engine.store import waiting
from engine.store.database import Transaction
from engine.store.prepared import Prepared
from engine.store.statements import add, change, put_among
from engine.store.tables import approvals, timers
from engine.store.tenants import is_awake


@dataclass(frozen=True, slots=True, kw_only=True)
class DueTimer:
    """A rung whose moment has come; `rung` is its index in the approval's ladder."""

    id: str
    tenant: TenantId
    approval: ApprovalId
    rung: int
    due_at: datetime


# What is due later than that is found by those who look again and again: nobody is woken for it.
SOON: Final = timedelta(seconds=2)


def arm(
    tx: Transaction,
    tenant: TenantId,
    approval: ApprovalId,
    *,
    start: datetime,
    ladder: Sequence[Rung],
    first: int = 0,
) -> None:
    """Store a timer for each rung from index `first` on, counted from `start`."""
    rows = [
        {
            "id": tx.ids.new("tmr"),
            "tenant": tenant,
            "approval": approval,
            "rung": index,
            "due_at": start + rung.after,
        }
        for index, rung in enumerate(ladder)
        if index >= first
    ]
    if rows:
        add(tx, timers, rows)
        if any(start + rung.after <= tx.now + SOON for rung in ladder[first:]):
            tx.hint("timers")


def cancel(tx: Transaction, those: Collection[ApprovalId]) -> None:
    """Cancel every rung of these approvals that has not fired."""
    waiting = {"fired_at": None, "cancelled_at": None}
    put_among(tx, timers, waiting, {"cancelled_at": tx.now}, among={"approval": those})


def forget(tx: Transaction, approval: ApprovalId) -> None:
    """Drop the approval's rungs, fired ones too: its next round climbs a ladder of its own."""
    tx.connection.execute(delete(timers).where(timers.c.approval == approval))


_DUE = Prepared(
    select(timers)
    .join(approvals, approvals.c.id == timers.c.approval)
    .where(
        timers.c.fired_at.is_(None),
        timers.c.cancelled_at.is_(None),
        timers.c.due_at <= bindparam("now"),
        is_awake(timers.c.tenant),
    )
    .order_by(timers.c.due_at, timers.c.rung)
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True, key_share=True)
)


def take_due(tx: Transaction, *, limit: int) -> list[DueTimer]:
    """Mark up to `limit` due timers as fired and give them, the oldest first.

    What they cause must happen in this very transaction: a timer that is given here is never given again.
    Their approvals are locked too. One that somebody is just changing is left for the next look: whoever
    votes locks the approval first and its timers later, and to wait for both in the other order is for ever.
    """
    due = {"now": tx.now, "limit": limit}
    rows = waiting.due_timers(tx, limit=limit) if tx.is_guarded else _DUE.rows(tx, due)
    found = [
        DueTimer(
            id=row.id,
            tenant=TenantId(row.tenant),
            approval=ApprovalId(row.approval),
            rung=row.rung,
            due_at=row.due_at,
        )
        for row in rows
    ]
    for ids in waiting.by_tenant(tx, rows):
        put_among(tx, timers, {}, {"fired_at": tx.now}, among={"id": ids})
    return found


def postpone(tx: Transaction, timer: DueTimer, *, by: timedelta) -> None:
    """Undo the firing of a timer that was just taken, and have it due again later."""
    change(tx, timers, {"id": timer.id}, {"fired_at": None, "due_at": tx.now + by})


_LAST_FIRED = Prepared(
    select(func.max(timers.c.rung).label("last")).where(
        timers.c.approval == bindparam("approval"), timers.c.fired_at.is_not(None)
    )
)


def fired_count(tx: Transaction, approval: ApprovalId) -> int:
    """How many rungs of the approval's present ladder have fired; they fire in order."""
    last: int | None = _LAST_FIRED.rows(tx, {"approval": approval})[0].last
    return 0 if last is None else last + 1


def next_due(tx: Transaction, *, after: datetime) -> datetime | None:
    """When the next rung behind the moment `after` is due; None when none is armed."""
    return tx.connection.execute(
        select(func.min(timers.c.due_at)).where(
            timers.c.fired_at.is_(None), timers.c.cancelled_at.is_(None), timers.c.due_at > after
        )
    ).scalar()
