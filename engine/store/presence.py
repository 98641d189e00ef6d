"""What the processes that share a database serve and hold between them, and since when nobody does any more."""

from collections.abc import Collection
from datetime import timedelta
from typing import Final

from sqlalchemy import bindparam, delete, select

from engine.clock import from_iso, iso
from engine.store.database import Transaction
from engine.store.prepared import Prepared
from engine.store.statements import add_new, change
from engine.store.tables import meta

CHANNEL: Final = "channel"
WORKFLOW: Final = "workflow"  # a version of one, as `store.leases.pin` names it

TOLD_EVERY: Final = timedelta(seconds=30)  # how often a process says what it has
GONE_AFTER: Final = timedelta(minutes=5)  # longer than a restart or an upgrade takes

_KNOWN: Final = Prepared(select(meta.c.key, meta.c.value).where(meta.c.key.like(bindparam("like"))))


def tell(tx: Transaction, kind: str, names: Collection[str]) -> None:
    """Say that this process has `names`. The sole owner of a file has nobody beside it: what others
    had before is gone.
    """
    if tx.connection.dialect.name == "sqlite":
        forget(tx, kind, known(tx, kind) - frozenset(names))
    for name in sorted(names):  # in one order, so that two never wait for each other
        key, moment = _key(kind, name), {"value": iso(tx.now)}
        if change(tx, meta, {"key": key}, moment) == 0:
            add_new(tx, meta, {"key": key, **moment})


def known(tx: Transaction, kind: str) -> frozenset[str]:
    """Whatever some process has, or had and may be back with."""
    rows = _KNOWN.rows(tx, {"like": f"{kind}:%"})
    return frozenset(row.key.partition(":")[2] for row in rows)


def gone(tx: Transaction, kind: str) -> frozenset[str]:
    """What no process has had for so long that it will hardly come back by itself."""
    rows = _KNOWN.rows(tx, {"like": f"{kind}:%"})
    return frozenset(
        row.key.partition(":")[2] for row in rows if from_iso(row.value) <= tx.now - GONE_AFTER
    )


def forget(tx: Transaction, kind: str, names: Collection[str]) -> frozenset[str]:
    """Know nothing of `names` any more; gives those that somebody else had not forgotten before."""
    return frozenset(
        name
        for name in sorted(names)
        if tx.connection.execute(delete(meta).where(meta.c.key == _key(kind, name))).rowcount
    )


def _key(kind: str, name: str) -> str:
    return f"{kind}:{name}"
