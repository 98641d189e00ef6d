"""The chain of what has no run: sign-ins, keys, refused and late votes, one chain for each tenant."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from sqlalchemy import bindparam, func, select

from engine.clock import iso
from engine.digest import canonical, sha256
from engine.ids import TenantId
from engine.store.database import Transaction
from engine.store.prepared import Prepared
from engine.store.statements import add
from engine.store.tables import audit

_LAST: Final = Prepared(
    select(audit.c.position, audit.c.hash)
    .where(audit.c.tenant == bindparam("of"))
    .order_by(audit.c.position.desc())
    .limit(1)
)


def append(tx: Transaction, tenant: TenantId, kind: str, data: Mapping[str, object]) -> None:
    """Add one entry, chained to the one before it. When this fails, so does the deed that it records."""
    take_the_pen(tx, tenant)
    last = _LAST.rows(tx, {"of": tenant})
    position, previous = (last[0].position + 1, last[0].hash) if last else (0, "")
    said = canonical(data).decode()
    text = spelled(tenant, position, kind, data=said, at=iso(tx.now), previous=previous)
    entry = {
        "tenant": tenant,
        "position": position,
        "kind": kind,
        "data": said,
        "at": tx.now,
        "previous": previous,
        "hash": sha256(text.encode()),
    }
    add(tx, audit, [entry])


def spelled(tenant: str, position: int, kind: str, *, data: str, at: str, previous: str) -> str:
    """The words of which an entry's hash is made, in RFC 8785's key order and with its stored `data`."""
    return (
        f'{{"at":"{at}","data":{data},"kind":{_quoted(kind)},"position":{position},'
        f'"previous":"{previous}","tenant":{_quoted(tenant)}}}'
    )


@lru_cache(maxsize=512)
def _quoted(value: str) -> str:
    return canonical(value).decode()


def take_the_pen(tx: Transaction, tenant: TenantId) -> None:
    """Let nobody else write to the tenant's audit before this deed has ended."""
    # Where several write at once, each waits here until the one before it has ended, and then sees its entry.
    if tx.sqlalchemy.dialect.name == "postgresql":
        key = func.hashtextextended(f"signoff:audit:{tenant}", 0)
        tx.connection.execute(select(func.pg_advisory_xact_lock(key)))
