"""What waits, whoever's it is: PostgreSQL answers with names alone, and every deed is then one tenant's."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import TextClause, bindparam, func, literal_column, select, text

from engine.ids import RunId, TenantId
from engine.store.columns import Moment
from engine.store.database import Transaction
from engine.store.prepared import Prepared
from engine.store.tables import outbox


def _asked(statement: str) -> TextClause:
    return text(statement).bindparams(bindparam("now", type_=Moment()))


_READY: Final = _asked(
    "SELECT id, tenant FROM signoff_ready_runs(:now, :workflows, :low, :high, :limit)"
)
_SUSPECTS: Final = _asked("SELECT tries FROM signoff_suspects(:now, :workflows)")
_OWNERS: Final = text("SELECT id, tenant FROM signoff_owners_of_runs(:ids)")
_TIMERS: Final = _asked(
    "SELECT id, tenant, approval, rung, due_at FROM signoff_due_timers(:now, :limit)"
)
_CASES: Final = _asked("SELECT id, tenant FROM signoff_due_cases(:now, :limit)")
_LAPSED: Final = _asked("SELECT execution, tenant FROM signoff_lapsed_claims(:now, :limit)")
_DELIVERIES: Final = _asked(
    "SELECT id, tenant FROM signoff_due_deliveries(:channel, :resting, :now, :limit)"
)
_ORPHANS: Final = _asked("SELECT id, tenant FROM signoff_due_orphans(:known, :known, :now, :limit)")
# The state is spelled into the statement: a partial index is not used for a bound parameter.
_FOLLOWING: Final = Prepared(
    select(func.min(outbox.c.tenant)).where(
        outbox.c.channel == bindparam("channel"),
        outbox.c.status == literal_column("'pending'"),
        outbox.c.tenant > bindparam("last"),
    )
)


def ready_runs(tx: Transaction, given: Mapping[str, object]) -> Sequence[Any]:
    """Which runs are ready, as `store.leases.claim` has it, locked until this deed has ended."""
    return tx.connection.execute(_READY, dict(given)).all()


def suspects(tx: Transaction, given: Mapping[str, object]) -> set[int]:
    """How often ready runs were taken up in vain, as `store.leases.suspects` has it."""
    return {row.tries for row in tx.connection.execute(_SUSPECTS, dict(given))}


def due_timers(tx: Transaction, *, limit: int) -> Sequence[Any]:
    """Which rungs are due, as `store.timers.take_due` has it, locked with their approvals."""
    return tx.connection.execute(_TIMERS, {"now": tx.now, "limit": limit}).all()


def due_cases(tx: Transaction, *, limit: int) -> Sequence[Any]:
    """Which cases are overdue, as `store.cases.take_due` has it, locked."""
    return tx.connection.execute(_CASES, {"now": tx.now, "limit": limit}).all()


def lapsed_claims(tx: Transaction, *, limit: int) -> Sequence[Any]:
    """Which claims are over, as `store.receipts.take_lapsed` has it, locked."""
    return tx.connection.execute(_LAPSED, {"now": tx.now, "limit": limit}).all()


def due_deliveries(
    tx: Transaction, channel: str, *, resting: Collection[str], limit: int
) -> Sequence[Any]:
    """Which deliveries are due, as `store.dispatching.claim` has it; tenants take turns."""
    given = {"channel": channel, "resting": sorted(resting), "now": tx.now, "limit": limit}
    return tx.connection.execute(_DELIVERIES, given).all()


def due_orphans(tx: Transaction, known: Collection[str], *, limit: int) -> Sequence[Any]:
    """Which deliveries are due on channels that are not `known`."""
    given = {"known": sorted(known), "now": tx.now, "limit": limit}
    return tx.connection.execute(_ORPHANS, given).all()


def lanes(tx: Transaction, channel: str) -> list[TenantId]:
    """The tenants for which something waits on `channel`, each found by a step along the index."""
    found: list[TenantId] = []
    last = ""
    while True:
        ((following,),) = _FOLLOWING.rows(tx, {"channel": channel, "last": last})
        if following is None:
            return found
        last = following
        found.append(TenantId(following))


def by_tenant(tx: Transaction, rows: Iterable[Any]) -> Iterator[list[str]]:
    """The ids of `rows`, tenant by tenant, while this deed acts for each; all at once where nobody guards."""
    if not tx.is_guarded:
        found = [row.id for row in rows]
        if found:
            yield found
        return
    lots: dict[str, list[str]] = {}
    for row in rows:
        lots.setdefault(row.tenant, []).append(row.id)
    for tenant in sorted(lots):
        tx.act_for(TenantId(tenant))
        yield lots[tenant]


def each_run(tx: Transaction, wanted: Collection[RunId]) -> Iterator[RunId]:
    """These runs in an order that is everybody's, while this deed acts for each one's tenant."""
    if not tx.is_guarded:
        yield from sorted(wanted)
        return
    rows = tx.connection.execute(_OWNERS, {"ids": sorted(wanted)}).all() if wanted else ()
    owners = {row.id: row.tenant for row in rows}
    for run in sorted(wanted, key=lambda run: (owners.get(run, ""), run)):
        if run in owners:
            tx.act_for(TenantId(owners[run]))
        yield run
