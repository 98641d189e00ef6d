"""The runs that monitors look at: those that are under way, and those that a pause holds."""

from typing import Final

from sqlalchemy import bindparam, select

from engine.ids import RunId, TenantId
from engine.store.database import Transaction
from engine.store.prepared import Prepared
from engine.store.runs import RunRow, run_of
from engine.store.tables import runs

PAGE: Final = 100

# Each by its own partial index: of all that ever ran these are few.
_READY: Final = Prepared(
    select(runs)
    .where(
        runs.c.ready_at.is_not(None),
        runs.c.tenant == bindparam("tenant"),
        runs.c.id > bindparam("after"),
    )
    .order_by(runs.c.id)
    .limit(PAGE)
)
_PAUSED: Final = Prepared(
    select(runs)
    .where(
        runs.c.status == "paused",
        runs.c.tenant == bindparam("tenant"),
        runs.c.id > bindparam("after"),
    )
    .order_by(runs.c.id)
    .limit(PAGE)
)


def under_way(tx: Transaction, tenant: TenantId, *, after: RunId | None) -> list[RunRow]:
    """Up to a hundred of them behind `after`, by id."""
    given = {"tenant": tenant, "after": after or ""}
    found = [*_READY.rows(tx, given), *_PAUSED.rows(tx, given)]
    rows = sorted((run_of(row) for row in found), key=lambda row: row.id)
    return rows[:PAGE]
