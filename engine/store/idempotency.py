"""What was answered to a caller's idempotency keys, for as long as a repeat may come."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, insert, select

from engine.ids import TenantId
from engine.store.database import Transaction
from engine.store.tables import idempotency

KEPT_FOR = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """The first request under a key, and what it was answered."""

    fingerprint: str
    answer: str


def find(tx: Transaction, tenant: TenantId, *, caller: str, key: str) -> Answered | None:
    """What `caller` was answered under `key` in the last seven days."""
    row = tx.connection.execute(
        select(idempotency.c.fingerprint, idempotency.c.answer).where(
            idempotency.c.tenant == tenant,
            idempotency.c.caller == caller,
            idempotency.c.key == key,
            idempotency.c.at > tx.now - KEPT_FOR,
        )
    ).one_or_none()
    return None if row is None else Answered(fingerprint=row.fingerprint, answer=row.answer)


def add(tx: Transaction, tenant: TenantId, *, caller: str, key: str, answered: Answered) -> None:
    """Keep an answer, and forget those that are too old."""
    tx.connection.execute(delete(idempotency).where(idempotency.c.at <= tx.now - KEPT_FOR))
    tx.connection.execute(
        insert(idempotency).values(
            tenant=tenant,
            caller=caller,
            key=key,
            fingerprint=answered.fingerprint,
            answer=answered.answer,
            at=tx.now,
        )
    )
