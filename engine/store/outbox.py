"""The outbox as rows: what must be sent, who is sending it, and what became of it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from operator import gt
from typing import Any, Final

from sqlalchemy import ColumnElement, bindparam, literal_column, null, select, tuple_, update

from engine.digest import canonical
from engine.errors import LeaseLost
from engine.ids import ApprovalId, DeliveryId, LeaseToken, MessageId, PersonId, TenantId
from engine.store.database import Transaction
from engine.store.prepared import Prepared
from engine.store.statements import add
from engine.store.tables import outbox

TROUBLE = "deliveries.trouble"
REFRESH = "approval.updated"  # only says how things stand: one that waits is enough
UNSURE = "May have arrived: "  # how the error of an attempt begins that got no answer
FREE: Mapping[str, None] = {"lease_token": None, "lease_expires_at": None}
EVERY = "webhook"  # the channel whose deliveries are events of their own, none standing for another


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDelivery:
    """Something to send. `kind` is post, update or tell; `message` is None for a tell."""

    tenant: TenantId
    message: MessageId | None
    channel: str
    address: str
    kind: str
    event: str
    due_at: datetime
    payload: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """Where and how a card was shown: the medium's names, the hash, what it left out."""

    data: Mapping[str, str]
    shown: str
    left_out: tuple[str, ...]
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One thing to send, under a lease. `attempts` counts this; `before` is None until shown.

    `is_unsure` says that an earlier attempt may have arrived: it was lost in a crash, or got no answer.
    """

    id: DeliveryId
    tenant: TenantId
    message: MessageId | None
    approval: ApprovalId | None
    person: PersonId | None
    serial: int
    state: str | None
    channel: str
    address: str
    kind: str
    event: str
    payload: Mapping[str, object]
    event_at: datetime
    attempts: int
    is_unsure: bool
    lease: LeaseToken
    before: Shown | None


def enqueue(tx: Transaction, new: NewDelivery) -> DeliveryId:
    """Store what must be sent once this transaction is committed, and wake the dispatcher.

    A refresh joins one for the same message that was never tried and has none behind it: its content
    is replaced. What was tried may have arrived, and other content under its key is no repeat.
    """
    (delivery,) = enqueue_each(tx, [new])
    return delivery


def enqueue_each(tx: Transaction, news: Iterable[NewDelivery]) -> list[DeliveryId]:
    """As `enqueue` for several, in this order."""
    fresh: list[dict[str, object]] = []
    named: list[DeliveryId] = []
    for new in news:
        waiting = _join(tx, new) if new.event == REFRESH else None
        named.append(waiting or DeliveryId(tx.ids.new("dlv")))
        if waiting is None:
            fresh.append(_fresh(tx, new, named[-1]))
    if fresh:
        add(tx, outbox, fresh)
    if named:
        tx.hint("outbox")
    return named


def _fresh(tx: Transaction, new: NewDelivery, delivery: DeliveryId) -> dict[str, object]:
    return {
        "id": delivery,
        "tenant": new.tenant,
        "message": new.message,
        "channel": new.channel,
        "address": new.address,
        "kind": new.kind,
        "event": new.event,
        "payload": canonical(new.payload).decode(),
        "event_at": tx.now,
        "due_at": new.due_at,
        "attempts": 0,
        "status": "pending",
        "created_at": tx.now,
    }


def mark(tx: Transaction, delivery: Delivery, **values: Any) -> None:
    """Change a leased delivery and give up its lease.

    Raises:
        LeaseLost: if the lease is no longer this one, or ran out; nothing was changed.
    """
    given = {f"set_{name}": value for name, value in values.items()}
    given |= {"delivery": delivery.id, "lease": delivery.lease, "now": tx.now}
    if _marking(tuple(values)).run(tx, given) == 0:
        raise LeaseLost(f"Delivery {delivery.id} is no longer held; somebody else sends it.")
    if _waits_behind(tx, delivery):
        tx.hint("outbox")


def give_back(tx: Transaction, delivery: Delivery) -> None:
    """Return a claimed delivery untried; does nothing when the lease is no longer this one."""
    tx.connection.execute(
        update(outbox)
        .where(outbox.c.id == delivery.id, outbox.c.lease_token == delivery.lease, is_in("pending"))
        .values(attempts=outbox.c.attempts - 1, **FREE)
    )


def drop_rest(tx: Transaction, message: MessageId) -> None:
    """Forget what still waits for a message that nobody will see."""
    tx.connection.execute(
        update(outbox)
        .where(outbox.c.message == message, is_in("pending"), outbox.c.lease_token.is_(None))
        .values(status="dropped", ended_at=tx.now)
    )


def release_all(tx: Transaction) -> int:
    """Free every lease. Only for the sole owner of a file, at its start: its holder is dead."""
    done = tx.connection.execute(
        update(outbox).where(is_in("pending"), outbox.c.lease_token.is_not(None)).values(**FREE)
    )
    return done.rowcount


def is_in(status: str) -> ColumnElement[bool]:
    """Whether a delivery is in this state."""
    # Spelled into the statement: a partial index is not used for a bound parameter.
    return outbox.c.status == literal_column(f"'{status}'")


def _join(tx: Transaction, new: NewDelivery) -> DeliveryId | None:
    waiting = tx.connection.execute(
        update(outbox)
        .where(
            outbox.c.message == new.message,
            outbox.c.kind == new.kind,
            outbox.c.event == new.event,
            outbox.c.lease_token.is_(None),
            outbox.c.attempts == 0,
            is_in("pending"),
            ~pending_beside(gt),
        )
        .values(payload=canonical(new.payload).decode(), event_at=tx.now)
        .returning(outbox.c.id)
    ).first()
    return None if waiting is None else DeliveryId(waiting.id)


def pending_beside(order: Callable[[Any, Any], Any]) -> ColumnElement[bool]:
    """Whether the same message has a pending delivery before (`lt`) or behind (`gt`) this one."""
    other = outbox.alias("other")
    places = [tuple_(each.c.created_at, each.c.id) for each in (other, outbox)]
    same = (other.c.message == outbox.c.message, other.c.status == "pending", order(*places))
    return select(other.c.id).where(*same).exists()


def _waits_behind(tx: Transaction, delivery: Delivery) -> bool:
    if delivery.message is None:
        return bool(_TOLD.rows(tx, {}))
    return bool(_BEHIND.rows(tx, {"message": delivery.message}))


_PENDING: Final = select(outbox.c.id).where(is_in("pending")).limit(1)
_TOLD: Final = Prepared(_PENDING.where(outbox.c.message.is_(None)))
_BEHIND: Final = Prepared(_PENDING.where(outbox.c.message == bindparam("message")))


@lru_cache(maxsize=32)
def _marking(columns: tuple[str, ...]) -> Prepared:
    values: dict[str, Any] = {name: bindparam(f"set_{name}") for name in columns}
    held = (
        outbox.c.id == bindparam("delivery"),
        outbox.c.lease_token == bindparam("lease"),
        outbox.c.lease_expires_at > bindparam("now"),
        is_in("pending"),
    )
    freed = {name: null() for name in FREE}
    return Prepared(update(outbox).where(*held).values({**values, **freed}))
