"""Workflows that were written as YAML or JSON, as rows: every version of each, for the runs that began with it."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import delete, func, select

from engine.digest import canonical
from engine.ids import TenantId
from engine.store import meta
from engine.store.database import Transaction
from engine.store.statements import add_new, change, find, find_one
from engine.store.tables import definitions, runs
from engine.store.tenants import listing

STAMP: Final = "definitions"  # changes with every change, so that whoever holds them knows


@dataclass(frozen=True, slots=True, kw_only=True)
class DefinitionRow:
    """One version. `body` is what it says as JSON, `source` how it was written."""

    tenant: TenantId
    name: str
    version: str
    body: str
    source: str
    functions: tuple[str, ...]
    children: tuple[str, ...]
    added_by: str
    added_at: datetime


def put(tx: Transaction, row: DefinitionRow) -> None:
    """Keep this version, from now on the newest of its name; that it was there before changes nothing else."""
    needs = {"functions": list(row.functions), "children": list(row.children)}
    key = {"tenant": row.tenant, "name": row.name, "version": row.version}
    newest = select(func.max(definitions.c.serial)).where(definitions.c.tenant == row.tenant)
    serial = (tx.connection.execute(newest).scalar() or 0) + 1
    said = {
        "serial": serial,
        "source": row.source,
        "added_by": row.added_by,
        "added_at": row.added_at,
    }
    new = {**key, **said, "body": row.body, "needs": canonical(needs).decode()}
    if not add_new(tx, definitions, new):
        change(tx, definitions, key, said)
    meta.put(tx.connection, STAMP, tx.ids.new("def"))
    tx.hint("definitions")


def remove(tx: Transaction, tenant: TenantId, name: str) -> None:
    """Keep no version of it any longer."""
    gone = delete(definitions).where(definitions.c.tenant == tenant, definitions.c.name == name)
    tx.connection.execute(gone)
    meta.put(tx.connection, STAMP, tx.ids.new("def"))
    tx.hint("definitions")


def runs_of(tx: Transaction, tenant: TenantId, name: str) -> int:
    """How many runs of it have not ended."""
    living = select(func.count()).where(
        runs.c.tenant == tenant, runs.c.workflow == name, runs.c.ended_at.is_(None)
    )
    return int(tx.connection.execute(living).scalar_one())


def of_tenant(tx: Transaction, tenant: TenantId) -> list[DefinitionRow]:
    """Every version of every definition, the newest of each name last."""
    rows = find(tx, definitions, {"tenant": tenant}, order_by=("name", "serial", "version"))
    return [_row(row) for row in rows]


def of_everybody(tx: Transaction) -> list[DefinitionRow]:
    """Every version of every definition of every tenant."""
    found: list[DefinitionRow] = []
    for tenant in listing(tx):
        tx.act_for(tenant.id)
        found += of_tenant(tx, tenant.id)
    return found


def get(tx: Transaction, tenant: TenantId, name: str, version: str) -> DefinitionRow | None:
    """That version; None if it is not there."""
    row = find_one(tx, definitions, {"tenant": tenant, "name": name, "version": version})
    return None if row is None else _row(row)


def count(tx: Transaction, tenant: TenantId) -> int:
    """How many versions the tenant keeps."""
    counted = select(func.count()).where(definitions.c.tenant == tenant)
    return int(tx.connection.execute(counted).scalar_one())


def stamp(tx: Transaction) -> str | None:
    """What changes with every change of any definition."""
    return meta.get(tx.connection, STAMP)


def _row(row: Any) -> DefinitionRow:
    needs: dict[str, list[str]] = json.loads(row.needs)
    return DefinitionRow(
        tenant=TenantId(row.tenant),
        name=row.name,
        version=row.version,
        body=row.body,
        source=row.source,
        functions=tuple(needs["functions"]),
        children=tuple(needs["children"]),
        added_by=row.added_by,
        added_at=row.added_at,
    )
