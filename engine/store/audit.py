"""The chain of what has no run: sign-ins, keys, refused and late votes, one chain for each tenant."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from sqlalchemy import Text, bindparam, func, select

from engine.clock import iso
from engine.digest import canonical, quoted, sha256
from engine.ids import TenantId
from engine.store.database import Transaction
from engine.store.prepared import Prepared
from engine.store.statements import add
from engine.store.tables import audit


def append(tx: Transaction, tenant: TenantId, kind: str, data: Mapping[str, object]) -> int:
    """Add one entry, chained to the one before it, and give its position.

    When this fails, so does the deed that it records.
    """
    take_the_pen(tx, tenant)
    found = _LAST.rows(tx, {"tenant": tenant})
    position, previous = (found[0].position + 1, found[0].hash) if found else (0, "")
    add(tx, audit, [line(tenant, position, kind, data, at=tx.now, previous=previous)])
    return position


_LAST: Final = Prepared(
    select(audit.c.position, audit.c.hash)
    .where(audit.c.tenant == bindparam("tenant"))
    .order_by(audit.c.position.desc())
    .limit(1)
)


def line(
    tenant: str,
    position: int,
    kind: str,
    data: Mapping[str, object],
    *,
    at: datetime,
    previous: str,
) -> dict[str, object]:
    """The entry at `position`, as it is stored, behind one with the hash `previous`."""
    said = canonical(data).decode()
    text = spelled(tenant, position, kind, data=said, at=iso(at), previous=previous)
    return {
        "tenant": tenant,
        "position": position,
        "kind": kind,
        "data": said,
        "at": at,
        "previous": previous,
        "hash": sha256(text.encode()),
    }


def spelled(tenant: str, position: int, kind: str, *, data: str, at: str, previous: str) -> str:
    """The words of which an entry's hash is made, in RFC 8785's key order and with its stored `data`."""
    return (
        f'{{"at":"{at}","data":{data},"kind":{quoted(kind)},"position":{position},'
        f'"previous":"{previous}","tenant":{quoted(tenant)}}}'
    )


def take_the_pen(tx: Transaction, tenant: TenantId) -> None:
    """Let nobody else write to the tenant's audit before this deed has ended."""
    # Where several write at once, each waits here until the one before it has ended, and then sees its entry.
    if tx.sqlalchemy.dialect.name == "postgresql":
        _PEN.rows(tx, {"key": f"signoff:audit:{tenant}"})


_PEN: Final = Prepared(
    select(
        func.pg_advisory_xact_lock(func.hashtextextended(bindparam("key", type_=Text()), 0)).label(
            "taken"
        )
    )
)
