"""What arrived from outside, so that each event is acted on once."""

from datetime import datetime

from sqlalchemy import delete, exists, insert, literal, select

from engine.ids import TenantId
from engine.store.database import Transaction
from engine.store.tables import inbox


def add(tx: Transaction, tenant: TenantId, source: str, key: str, *, keep_until: datetime) -> bool:
    """Whether this is the first time; keys that need not be known any more are forgotten."""
    tx.connection.execute(delete(inbox).where(inbox.c.keep_until <= tx.now))
    known = exists().where(inbox.c.tenant == tenant, inbox.c.source == source, inbox.c.key == key)
    fresh = select(
        literal(tenant), literal(source), literal(key), literal(keep_until, inbox.c.keep_until.type)
    ).where(~known)
    done = tx.connection.execute(
        insert(inbox).from_select(["tenant", "source", "key", "keep_until"], fresh)
    )
    return done.rowcount == 1
