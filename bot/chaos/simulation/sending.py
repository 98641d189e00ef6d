"""Cards in the simulated store: enqueued with the change, sent at least once and in order, or known to be dead."""

from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Final

from bot.chaos.simulation.memory import Memory
from bot.chaos.simulation.outside import Outside
from bot.chaos.simulation.rows import ApprovalRow, DeliveryRow
from engine.errors import LeaseLost
from engine.rules.retry import delivery_delay

LEASE: Final = timedelta(minutes=1)


def enqueue(memory: Memory, row: ApprovalRow, event: str) -> None:
    """Store that a card must show how the approval stands now; in the transaction of the change."""
    new = DeliveryRow(
        id=memory.new("dlv"),
        approval=row.id,
        place=sum(each.approval == row.id for each in memory.deliveries) + 1,
        event=event,
        due_at=memory.now,
    )
    if memory.laws.enqueues_with_the_change:
        memory.deliveries.put(new.id, new)
    else:
        memory.after_commit.append(partial(memory.deliveries.put, new.id, new))


def claim(memory: Memory) -> DeliveryRow | None:
    """Lease the earliest pending delivery of some approval, if one is due and free."""
    waiting: set[str] = set()
    for each in memory.deliveries:
        if each.status != "pending":
            continue
        if each.approval in waiting:
            continue  # of one card only the earliest is handed out
        waiting.add(each.approval)
        is_free = each.lease_until is None or each.lease_until <= memory.now
        if is_free and each.due_at <= memory.now:
            leased = replace(
                each,
                token=memory.new("lease"),
                lease_until=memory.now + LEASE,
                attempts=each.attempts + 1,
            )
            memory.deliveries.put(each.id, leased)
            return leased
    return None


def mark(memory: Memory, held: DeliveryRow, *, is_sent: bool) -> None:
    """Say what became of it.

    Raises:
        LeaseLost: if somebody else sends it by now.
    """
    row = memory.deliveries[held.id]
    is_held = row.token == held.token and row.status == "pending"
    if not is_held or row.lease_until is None or row.lease_until <= memory.now:
        raise LeaseLost(f"Delivery {held.id} is no longer held.")
    free = replace(row, token=None, lease_until=None)
    if is_sent:
        memory.deliveries.put(row.id, replace(free, status="sent"))
        return
    delay = delivery_delay("slack", row.attempts, 0.5)
    if delay is None:
        memory.deliveries.put(row.id, replace(free, status="dead"))
    else:
        memory.deliveries.put(row.id, replace(free, due_at=memory.now + delay))


def post(memory: Memory, outside: Outside, held: DeliveryRow) -> None:
    """Show the card as the approval stands now; the one thing here that is no deed."""
    row = memory.approvals[held.approval]
    outside.posted[held.id] = outside.posted.get(held.id, 0) + 1
    outside.show(row.id, held.place, row.version, str(row.status))
