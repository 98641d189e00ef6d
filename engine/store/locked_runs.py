"""A run's row, locked, with all that an append to its journal has to know of it."""

from collections.abc import Collection, Sequence
from typing import Any, Final

from sqlalchemy import bindparam, select

from engine.errors import NotFound
from engine.ids import RunId, TenantId
from engine.store.books import Spender
from engine.store.budget_revisions import OF_THE_RUN
from engine.store.columns import and_the_moment
from engine.store.database import Transaction
from engine.store.prepared import Prepared
from engine.store.statements import Among
from engine.store.tables import runs

_SHAPES: Final = (
    select(
        runs.c.id,
        runs.c.tenant,
        runs.c.status,
        runs.c.reason,
        runs.c.next_position,
        runs.c.head,
        runs.c.lease_token,
        runs.c.workflow,
        runs.c.started_by,
        runs.c.reserved,
        runs.c.parent,
        runs.c.parent_path,
        runs.c.root,
        runs.c.notify,
        runs.c.sandbox,
    )
    .order_by(runs.c.id)  # locked in one order, where there are several
    .with_for_update(key_share=True)
)
_HELD: Final = _SHAPES.order_by(None).where(runs.c.id == bindparam("run"))
_HELD_EACH: Final = Among(_SHAPES, runs.c.id)
_HELD_WITH_BUDGETS: Final = _HELD.add_columns(OF_THE_RUN)
# By whether the budgets' revision comes along, and whether the moment does.
_LOCKED: Final = {
    (False, False): Prepared(_HELD),
    (False, True): Prepared(and_the_moment(_HELD)),
    (True, False): Prepared(_HELD_WITH_BUDGETS),
    (True, True): Prepared(and_the_moment(_HELD_WITH_BUDGETS)),
}


def locked(tx: Transaction, run: RunId, *, with_budgets: bool = False) -> Any:
    """The run's row, which nobody else changes before this deed has ended; the deed is told the moment with it.

    Where asked for `with_budgets`, it says at which revision the tenant's budgets are.

    Raises:
        NotFound: if there is no such run.
    """
    brings_the_moment = tx.wants_the_moment
    found = _LOCKED[with_budgets, brings_the_moment].rows(tx, {"run": run})
    if not found:
        raise NotFound(f"There is no run {run}.")
    if brings_the_moment:
        tx.be_told(found[0].moment)
    return found[0]


def locked_each(tx: Transaction, wanted: Collection[RunId]) -> Sequence[Any]:
    """As `locked`, for several runs of one tenant."""
    return _HELD_EACH.rows(tx, wanted)


def spender_of(run: RunId, row: Any) -> Spender:
    """Whose budgets the run of this row is charged to."""
    return Spender(
        tenant=TenantId(row.tenant),
        run=run,
        root=RunId(row.root or run),
        parent=row.parent,
        workflow=row.workflow,
        started_by=row.started_by,
        reserved=row.reserved,
        revision=getattr(row, "budgets", None),
    )
