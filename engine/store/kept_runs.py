"""Runs as they are stored, page by page, for whoever holds them against their journals."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, select

from engine.ids import TenantId
from engine.store.database import Transaction
from engine.store.prepared import Prepared
from engine.store.statements import whose
from engine.store.tables import runs


@dataclass(frozen=True, slots=True)
class Standing:
    """A run as its chain has it: its name, how many entries there are, and the last one's hash."""

    id: str
    length: int
    head: str


def standings(tx: Transaction, tenant: TenantId, *, after: str, limit: int) -> list[Standing]:
    """Up to `limit` runs behind the id `after`, in the order of their ids."""
    rows = _STANDINGS.rows(tx, {"tenant": tenant, "after": after, "most": limit})
    return [Standing(*row) for row in rows]


_STANDINGS = Prepared(
    select(runs.c.id, runs.c.next_position, runs.c.head)
    .where(whose(runs), runs.c.id > bindparam("after"))
    .order_by(runs.c.id)
    .limit(bindparam("most"))
)


def stored(tx: Transaction, tenant: TenantId, *, after: str, limit: int) -> Sequence[Any]:
    """Up to `limit` runs behind the id `after`: what of them their journals say too, as it is stored."""
    return _STORED.rows(tx, {"tenant": tenant, "after": after, "most": limit})


_JOURNALED = (
    "id", "workflow", "workflow_version", "status", "reason", "input", "result", "error", "started_by", "owner",
    "next_position", "head", "reserved", "sandbox",
)  # fmt: skip
_STORED = Prepared(
    select(*(runs.c[name] for name in _JOURNALED))
    .where(whose(runs), runs.c.id > bindparam("after"))
    .order_by(runs.c.id)
    .limit(bindparam("most"))
)
