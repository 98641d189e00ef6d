"""What arrived from outside, so that each event is acted on once."""

from datetime import datetime

from sqlalchemy import delete

from engine.ids import TenantId
from engine.store.database import Transaction
from engine.store.statements import add_new
from engine.store.tables import inbox


def add(tx: Transaction, tenant: TenantId, source: str, key: str, *, keep_until: datetime) -> bool:
    """Whether this is the first time; keys that need not be known any more are forgotten."""
    tx.connection.execute(delete(inbox).where(inbox.c.keep_until <= tx.now))
    row = {"tenant": tenant, "source": source, "key": key, "keep_until": keep_until}
    return add_new(tx, inbox, row)
