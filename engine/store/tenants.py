"""Organisations that share this installation, as rows: each has people, keys, runs and chains of its own."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, Row, case, exists, func, insert, null, select

from engine.errors import NotAllowed
from engine.ids import DEFAULT_TENANT, TenantId
from engine.store.database import Transaction
from engine.store.prepared import Prepared
from engine.store.statements import change, find_one
from engine.store.tables import tenants


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """One organisation. `origin` says who made it: `built-in`, `config` or `api`."""

    id: TenantId
    name: str
    is_active: bool
    origin: str
    created_at: datetime | None  # None for the one that was always here


# The one that needs no row: whatever was here before there were several is its.
BUILT_IN: Final = Tenant(
    id=DEFAULT_TENANT, name="Default", is_active=True, origin="built-in", created_at=None
)

# Whose runs are not driven, whose rungs do not fire and whose messages are not sent, until they are active again.
RESTING = select(tenants.c.id).where(tenants.c.is_active.is_(False))


_ALL: Final = tenants.alias("others")
_EVERY: Final = Prepared(select(tenants))
_OTHERS: Final = Prepared(select(tenants.c.id).where(tenants.c.id != DEFAULT_TENANT).limit(1))


def find(tx: Transaction, tenant: TenantId) -> Tenant | None:
    """The organisation, active or not; None where there is none of that name."""
    row = find_one(tx, tenants, {"id": tenant})
    if row is None:
        return BUILT_IN if tenant == DEFAULT_TENANT else None
    return _tenant(row)


def listing(tx: Transaction, *, only_active: bool = False) -> list[Tenant]:
    """Every organisation, or every active one, in the order of their ids."""
    rows = _EVERY.rows(tx, {})
    there = {BUILT_IN.id: BUILT_IN, **{TenantId(row.id): _tenant(row) for row in rows}}
    return [there[id] for id in sorted(there) if there[id].is_active or not only_active]


def name_among_several(tx: Transaction, tenant: TenantId) -> str | None:
    """What the organisation is called, where there is more than one; the only one needs no name."""
    if not _OTHERS.rows(tx, {}):
        return None
    found = find(tx, tenant)
    return tenant if found is None else found.name


def add(tx: Transaction, tenant: TenantId, *, name: str, origin: str) -> None:
    """Keep a new organisation, active from now on."""
    tx.connection.execute(
        insert(tenants).values(
            id=tenant, name=name, is_active=True, origin=origin, created_at=tx.now
        )
    )


def rename(tx: Transaction, tenant: TenantId, name: str) -> None:
    """Call it something else; its id stays."""
    if not change(tx, tenants, {"id": tenant}, {"name": name}) and tenant == DEFAULT_TENANT:
        add(tx, tenant, name=name, origin=BUILT_IN.origin)


def set_active(tx: Transaction, tenant: TenantId, *, is_active: bool) -> None:
    """Let it rest, or go on where it stood."""
    change(tx, tenants, {"id": tenant}, {"is_active": is_active})


def check_active(tx: Transaction, tenant: TenantId) -> None:
    """Return if the organisation is there and does not rest.

    Raises:
        NotAllowed: `tenant_inactive`, otherwise: what nobody knows is refused like what rests.
    """
    found = find(tx, tenant)
    if found is None or not found.is_active:
        raise at_rest(tenant if found is None else found.name)


def at_rest(name: str) -> NotAllowed:
    """What whoever belongs to an organisation at rest is told."""
    return NotAllowed(
        f"{name} is deactivated here. Nothing was lost; ask whoever runs this Signoff.",
        code="tenant_inactive",
    )


def is_active(tenant: Column[str]) -> ColumnElement[bool]:
    """Whether the organisation in this column is active, in a query that also joins `tenants` to it, or finds none."""
    return func.coalesce(tenants.c.is_active, tenant == DEFAULT_TENANT)


def shown_name(tenant: Column[str]) -> ColumnElement[str | None]:
    """As `name_among_several` says, in such a query."""
    others = _ALL.c.id != DEFAULT_TENANT
    built_in = case((tenant == DEFAULT_TENANT, BUILT_IN.name), else_=tenant)
    return case((exists().where(others), func.coalesce(tenants.c.name, built_in)), else_=null())


def is_awake(tenant: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether the organisation in this column does not rest."""
    return tenant.not_in(RESTING)


def _tenant(row: Row[Any]) -> Tenant:
    return Tenant(
        id=TenantId(row.id),
        name=row.name,
        is_active=row.is_active,
        origin=row.origin,
        created_at=row.created_at,
    )
