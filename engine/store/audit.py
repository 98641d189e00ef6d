"""The chain of what has no run: sign-ins, keys, refused and late votes, one chain for each tenant."""

from collections.abc import Mapping

from sqlalchemy import func, insert, select

from engine.clock import iso
from engine.digest import canonical, sha256
from engine.ids import TenantId
from engine.store.database import Transaction
from engine.store.tables import audit


def append(tx: Transaction, tenant: TenantId, kind: str, data: Mapping[str, object]) -> None:
    """Add one entry, chained to the one before it. When this fails, so does the deed that it records."""
    _take_the_pen(tx, tenant)
    last = tx.connection.execute(
        select(audit.c.position, audit.c.hash)
        .where(audit.c.tenant == tenant)
        .order_by(audit.c.position.desc())
        .limit(1)
    ).one_or_none()
    position, previous = (0, "") if last is None else (last.position + 1, last.hash)
    body = {
        "tenant": tenant,
        "position": position,
        "kind": kind,
        "data": dict(data),
        "at": iso(tx.now),
        "previous": previous,
    }
    tx.connection.execute(
        insert(audit).values(
            tenant=tenant,
            position=position,
            kind=kind,
            data=canonical(data).decode(),
            at=tx.now,
            previous=previous,
            hash=sha256(canonical(body)),
        )
    )


def _take_the_pen(tx: Transaction, tenant: TenantId) -> None:
    # Where several write at once, each waits here until the one before it has ended, and then sees its entry.
    if tx.connection.dialect.name == "postgresql":
        key = func.hashtextextended(f"signoff:audit:{tenant}", 0)
        tx.connection.execute(select(func.pg_advisory_xact_lock(key)))
