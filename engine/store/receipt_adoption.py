"""Receipts that are older than what the audit says of receipts: each gets an entry, as it stands."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, insert, select, text, update

from engine.clock import SystemClock
from engine.ids import DEFAULT_TENANT
from engine.store import audit as chain
from engine.store.receipt_record import ADOPTED, DIGESTED, TOLD, told
from engine.store.tables import audit, receipts, tenants

ROWS: Final = 1_000  # at once
_ACT_FOR: Final = text("SELECT set_config('signoff.tenant', :tenant, true)")
_FOUND: Final = select(*(receipts.c[name] for name in (*TOLD.values(), *DIGESTED)))


def adopt(connection: Connection) -> int:
    """Put every receipt on record that never was; gives how many there were."""
    known = connection.execute(select(tenants.c.id)).scalars()
    done = sum(_adopt(connection, tenant) for tenant in sorted({DEFAULT_TENANT, *known}))
    _act_for(connection, "")
    return done


def _adopt(connection: Connection, tenant: str) -> int:
    _act_for(connection, tenant)
    done = 0
    wanted = _FOUND.where(receipts.c.tenant == tenant, receipts.c.told.is_(None)).limit(ROWS)
    while rows := connection.execute(wanted).all():
        entries = _entries(connection, tenant, rows)
        connection.execute(insert(audit), entries)
        for row, entry in zip(rows, entries, strict=True):
            own = (receipts.c.namespace == row.namespace, receipts.c.request_id == row.request_id)
            connection.execute(
                update(receipts)
                .where(receipts.c.tenant == tenant, *own)
                .values(told=entry["position"])
            )
        done += len(rows)
    return done


def _entries(connection: Connection, tenant: str, rows: Sequence[Any]) -> list[Mapping[str, Any]]:
    last = connection.execute(
        select(audit.c.position, audit.c.hash)
        .where(audit.c.tenant == tenant)
        .order_by(audit.c.position.desc())
        .limit(1)
    ).one_or_none()
    position, previous = (0, "") if last is None else (last.position + 1, last.hash)
    at, entries = SystemClock().now(), list[Mapping[str, Any]]()
    for row in rows:
        entry = chain.line(tenant, position, ADOPTED, told(row), at=at, previous=previous)
        entries.append(entry)
        position, previous = position + 1, str(entry["hash"])
    return entries


def _act_for(connection: Connection, tenant: str) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(_ACT_FOR, {"tenant": tenant})
