"""Results of steps that may be used again, as rows: each for as long as its author said, and so many at most."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import delete, select

from engine.digest import canonical
from engine.ids import RunId, TenantId
from engine.store.database import Transaction
from engine.store.statements import add_new, change, find_one
from engine.store.tables import reuses

ROWS_MAX: Final = 10_000  # of each tenant; of more, those go first that are over first
BYTES_MAX: Final = 256 * 1024  # a longer result is not kept
PRUNED_MAX: Final = 500  # at once
PRUNED_SHARE: Final = 0.05  # of the times that something is kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What a call returned, in which run and when, and what that cost as a journal says it."""

    result: Any
    cost: Mapping[str, Any]
    run: RunId
    made_at: datetime


def find(tx: Transaction, tenant: TenantId, key: str) -> Kept | None:
    """What is kept under `key`, if its time is not over."""
    row = find_one(tx, reuses, {"tenant": tenant, "key": key})
    if row is None or row.keep_until <= tx.now:
        return None
    return Kept(
        result=json.loads(row.result),
        cost=json.loads(row.cost),
        run=RunId(row.run),
        made_at=row.made_at,
    )


def keep(tx: Transaction, tenant: TenantId, key: str, kept: Kept, *, until: datetime) -> None:
    """Keep a result in place of an earlier one; does nothing where it is too long."""
    result = canonical(kept.result).decode()
    if len(result.encode()) > BYTES_MAX:
        return
    values: dict[str, object] = {
        "result": result,
        "cost": canonical(kept.cost).decode(),
        "run": kept.run,
        "made_at": kept.made_at,
        "keep_until": until,
    }
    place = {"tenant": tenant, "key": key}
    if not add_new(tx, reuses, {**place, **values}):
        change(tx, reuses, place, values)
    if tx.ids.fraction() < PRUNED_SHARE:
        prune(tx, tenant)


def prune(tx: Transaction, tenant: TenantId, *, rows_max: int = ROWS_MAX) -> None:
    """Forget results whose time is over, and what is beyond `rows_max`."""
    mine = reuses.c.tenant == tenant
    oldest = select(reuses.c.key).where(mine).order_by(reuses.c.keep_until)
    over = oldest.where(reuses.c.keep_until <= tx.now).limit(PRUNED_MAX)
    tx.connection.execute(delete(reuses).where(mine, reuses.c.key.in_(over)))
    newest = select(reuses.c.key).where(mine).order_by(reuses.c.keep_until.desc())
    surplus = newest.offset(rows_max).limit(PRUNED_MAX)
    tx.connection.execute(delete(reuses).where(mine, reuses.c.key.in_(surplus)))
