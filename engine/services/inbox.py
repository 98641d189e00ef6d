"""Each event from outside is acted on once, however often it is delivered."""

from datetime import timedelta
from typing import Final

from engine.digest import sha256
from engine.ids import TenantId
from engine.store import inbox
from engine.store.database import Transaction

KEY_CHARS_MAX: Final = 200  # a longer one is known by its hash


def first_time(
    tx: Transaction, tenant: TenantId, source: str, key: str, *, keep_for: timedelta
) -> bool:
    """Whether `source` never sent `key` before; False on a repeat within `keep_for`.

    It is remembered in the same transaction as what is done about it: when that is undone, the
    event may come again.
    """
    short = key if len(key) <= KEY_CHARS_MAX else sha256(key.encode(errors="surrogatepass"))
    return inbox.add(tx, tenant, source, short, keep_until=tx.now + keep_for)
