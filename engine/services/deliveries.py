"""Delivering: what is due, what became of it, and what operators can do about the rest."""

from collections.abc import Collection
from datetime import datetime, timedelta

from engine.digest import sha256
from engine.errors import NotFound
from engine.ids import DEFAULT_TENANT, DeliveryId, TenantId
from engine.store import deliveries, dispatching, inbox, messages, notices, outbox, presence
from engine.store.database import Transaction
from engine.store.deliveries import OutboxLine
from engine.store.outbox import EVERY, Delivery, NewDelivery, Shown

ERROR_CHARS_MAX = 500
TOLD_FOR = timedelta(hours=1)  # the same trouble of one channel is told again only after this


def enqueue(tx: Transaction, new: NewDelivery) -> DeliveryId:
    """Store what must be sent once this transaction is committed; see `store.outbox.enqueue`."""
    return outbox.enqueue(tx, new)


def claim(
    tx: Transaction,
    channel: str,
    *,
    limit: int,
    lease_for: timedelta,
    resting: Collection[str] = (),
) -> list[Delivery]:
    """Lease what is due on `channel`; see `store.dispatching.claim`."""
    return dispatching.claim(tx, channel, limit=limit, lease_for=lease_for, resting=resting)


def claim_orphans(
    tx: Transaction, served: Collection[str], *, limit: int, lease_for: timedelta
) -> list[Delivery]:
    """Lease what is due on channels that are not among those `served` here, nor another process's."""
    known = {*served, *presence.known(tx, presence.CHANNEL)}
    return dispatching.claim_orphans(tx, known, limit=limit, lease_for=lease_for)


def serve(tx: Transaction, channels: Collection[str], *, missing: bool) -> frozenset[str]:
    """Say that `channels` are served here. With `missing`, those that no process has served for minutes
    are given, and forgotten: the operators are told, and what waits for them counts as undeliverable.
    """
    presence.tell(tx, presence.CHANNEL, channels)
    left = presence.gone(tx, presence.CHANNEL) if missing else frozenset[str]()
    gone = presence.forget(tx, presence.CHANNEL, left)
    for channel in sorted(gone):
        text = (
            f"No process has served {channel} for some minutes. If it was not taken out on purpose, start "
            "a process that has its settings; `signoff doctor` says which are missing."
        )
        told = notices.Notice(
            event=outbox.TROUBLE, title=f"The channel {channel} is gone", text=text, path="/outbox"
        )
        notices.tell_operators(tx, DEFAULT_TENANT, told)
    return gone


def give_back(tx: Transaction, claimed: Collection[Delivery]) -> None:
    """Return deliveries that were claimed and not tried, whosever they are; they stay due."""
    for delivery in claimed:
        tx.act_for(delivery.tenant)
        outbox.give_back(tx, delivery)


def sent(tx: Transaction, delivery: Delivery, shown: Shown | None) -> None:
    """The delivery arrived, and `shown` is where; None after a tell.

    What a tell said is forgotten, for it may hold a link that signs somebody in.

    Raises:
        LeaseLost: if somebody else holds the delivery by now; nothing is changed.
    """
    forgotten = {"payload": "{}"} if delivery.kind == "tell" else {}
    outbox.mark(tx, delivery, status="sent", ended_at=tx.now, error=None, **forgotten)
    if delivery.message is not None and shown is not None:
        messages.set_shown(tx, delivery.message, shown)


def failed(
    tx: Transaction,
    delivery: Delivery,
    error: str,
    *,
    retry_at: datetime | None,
    is_unsure: bool = False,
) -> None:
    """The delivery did not arrive, or nobody can tell. Without `retry_at` it is dead, and the operators
    are told.

    A card that could never be posted takes its waiting updates with it; a webhook's events are each
    their own.

    Raises:
        LeaseLost: if somebody else holds the delivery by now; nothing is changed.
    """
    begins = outbox.UNSURE if is_unsure or delivery.is_unsure else ""
    said = f"{begins}{error}"[:ERROR_CHARS_MAX]
    if retry_at is not None:
        outbox.mark(tx, delivery, due_at=retry_at, error=said)
        return
    outbox.mark(tx, delivery, status="dead", ended_at=tx.now, error=said)
    if delivery.kind == "post" and delivery.message is not None and delivery.channel != EVERY:
        messages.set_state(tx, delivery.message, "dead")
        outbox.drop_rest(tx, delivery.message)
    dead = deliveries.counts(tx, delivery.tenant)["dead"]
    trouble(tx, delivery, said, advice=f"{_many(dead)} given up so far.")


def dropped(tx: Transaction, delivery: Delivery) -> None:
    """The delivery is not needed any more: there is nothing left to decide or to bring up to date.

    Raises:
        LeaseLost: if somebody else holds the delivery by now; nothing is changed.
    """
    outbox.mark(tx, delivery, status="dropped", ended_at=tx.now)


def gone(tx: Transaction, delivery: Delivery, error: str) -> None:
    """The message was deleted where it was shown, or its endpoint closed: leave it alone.

    Raises:
        LeaseLost: if somebody else holds the delivery by now; nothing is changed.
    """
    outbox.mark(tx, delivery, status="dropped", ended_at=tx.now, error=error[:ERROR_CHARS_MAX])
    if delivery.message is not None:
        messages.set_state(tx, delivery.message, "gone")
        outbox.drop_rest(tx, delivery.message)


def trouble(tx: Transaction, delivery: Delivery, error: str, *, advice: str) -> None:
    """Tell the operators that `delivery` does not get through; the same trouble once in an hour.

    A notice about trouble that gets into trouble itself is not told.
    """
    until = tx.now + TOLD_FOR
    cause = sha256(f"{delivery.channel}\n{error}".encode())
    if delivery.event == outbox.TROUBLE or not inbox.add(
        tx, delivery.tenant, outbox.TROUBLE, cause, keep_until=until
    ):
        return
    text = (
        f"{delivery.channel} to {delivery.address}: {error} {advice} "
        "Mend the cause, then run `signoff outbox redrive`."
    )
    told = notices.Notice(
        event=outbox.TROUBLE, title="A message did not get through", text=text, path="/outbox"
    )
    notices.tell_operators(tx, delivery.tenant, told)


def listing(
    tx: Transaction,
    tenant: TenantId,
    *,
    status: str | None = None,
    before: str | None = None,
    limit: int = 50,
) -> list[OutboxLine]:
    """Up to `limit` deliveries, newest first; `before` is the id at which the page before ended."""
    return deliveries.page(tx, tenant, status=status, before=before, limit=limit)


def counts(tx: Transaction, tenant: TenantId) -> dict[str, int]:
    """How many deliveries are pending, sent, dead and dropped."""
    return deliveries.counts(tx, tenant)


def redrive(tx: Transaction, tenant: TenantId, delivery: DeliveryId | None = None) -> int:
    """Send the dead `delivery` again, or every dead one; gives how many.

    Raises:
        NotFound: if `delivery` is named and is not dead, or not this tenant's.
    """
    again = deliveries.redrive(tx, tenant, delivery)
    if delivery is not None and not again:
        raise NotFound(f"There is no dead delivery {delivery}.")
    return again


def free_all(tx: Transaction) -> int:
    """Free every lease at the start of the sole owner of a file: whoever held one is dead."""
    return outbox.release_all(tx)


def _many(count: int) -> str:
    return "1 message was" if count == 1 else f"{count} messages were"
