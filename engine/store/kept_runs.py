"""Runs as they are stored, page by page, for whoever holds them against their journals."""

from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import bindparam, select

from engine.ids import RunId, TenantId
from engine.store.database import Transaction
from engine.store.prepared import Prepared
from engine.store.statements import find_one, whose
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


class Journaled(NamedTuple):
    """What of a run its journal says too, as it is stored."""

    id: str
    workflow: str
    workflow_version: str
    status: str
    reason: str | None
    input: str
    result: str | None
    error: str | None
    started_by: str
    owner: str | None
    next_position: int
    head: str
    reserved: str | None
    sandbox: str | None


def stored(tx: Transaction, tenant: TenantId, *, after: str, limit: int) -> list[Journaled]:
    """Up to `limit` runs behind the id `after`, in the order of their ids."""
    rows = _STORED.plain(tx, {"tenant": tenant, "after": after, "most": limit})
    return [Journaled._make(row) for row in rows]


def stored_of(tx: Transaction, tenant: TenantId, run: RunId) -> Journaled | None:
    """One run of the tenant's; None if there is none of that name."""
    row = find_one(tx, runs, {"id": run, "tenant": tenant})
    return None if row is None else Journaled(*(getattr(row, each) for each in Journaled._fields))


_STORED = Prepared(
    select(*(runs.c[name] for name in Journaled._fields))
    .where(whose(runs), runs.c.id > bindparam("after"))
    .order_by(runs.c.id)
    .limit(bindparam("most"))
)
