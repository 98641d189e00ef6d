"""Whether the database takes writes: found out by writing."""

from sqlalchemy import text

from engine.clock import iso
from engine.store.database import Transaction

_PROVE = text(
    "INSERT INTO meta (key, value) VALUES ('ready_at', :at) "
    "ON CONFLICT (key) DO UPDATE SET value = excluded.value"
)


def prove(tx: Transaction) -> None:
    """Write the moment over the last one."""
    tx.connection.execute(_PROVE, {"at": iso(tx.now)})
