"""Kill switches as rows: one fact for each scope, read in the very transaction in which a step would begin."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Column, Text, bindparam, delete, func, or_, select

from engine.clock import iso
from engine.errors import KillSwitchTriggered
from engine.ids import DEFAULT_TENANT, RunId, TenantId
from engine.rules.states import WaitingReason
from engine.rules.switches import EVERYTHING, Beneath, above, engaged_words
from engine.store import lineage, tenants
from engine.store import runs as run_rows
from engine.store.database import Transaction
from engine.store.lineage import Above
from engine.store.prepared import Prepared
from engine.store.statements import add_new, change, find, find_one
from engine.store.tables import runs, switches

TOPIC: Final = "switches"
_LOCK: Final = (
    7_402_018  # whoever engages or releases waits for those that begin a step, and they for it
)

_ENGAGED: Final = Prepared(
    select(switches.c.scope).where(
        or_(switches.c.tenant == bindparam("whose"), switches.c.scope == EVERYTHING)
    )
)
_HALTED: Final = Prepared(
    select(runs.c.id, runs.c.workflow, runs.c.started_by, runs.c.parent)
    .where(runs.c.tenant == bindparam("tenant"), runs.c.reason == WaitingReason.HALTED)
    .order_by(runs.c.id)
)
_ALL: Final = Prepared(select(switches.c.tenant, switches.c.scope))
# Where the database guards rows, it answers this for everybody's; `*` is all of them.
_switched: Final = func.signoff_switched(bindparam("whose", type_=Text())).table_valued(
    Column("tenant", Text()), Column("scope", Text())
)
_GUARDED: Final = Prepared(select(_switched.c.tenant, _switched.c.scope))
_KEEP_STILL: Final = Prepared(select(func.pg_advisory_xact_lock_shared(_LOCK).label("held")))
_TAKE_HOLD: Final = Prepared(select(func.pg_advisory_xact_lock(_LOCK).label("held")))


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """One switch that is engaged. `release_asked_by` is who wants it released, where that takes two."""

    tenant: TenantId
    scope: str
    reason: str
    engaged_by: str
    engaged_at: datetime
    release_asked_by: str | None
    release_asked_at: datetime | None

    def to_json(self) -> dict[str, object]:
        """The switch as the API shows it."""
        asked_at = self.release_asked_at
        return {
            "scope": self.scope,
            "reason": self.reason,
            "engaged_by": self.engaged_by,
            "engaged_at": iso(self.engaged_at),
            "release_asked_by": self.release_asked_by,
            "release_asked_at": None if asked_at is None else iso(asked_at),
        }


def home_of(tenant: TenantId, scope: str) -> TenantId:
    """Whose row a switch is: the one above everything belongs to the installation."""
    return DEFAULT_TENANT if scope == EVERYTHING else tenant


def engaged(tx: Transaction, tenant: TenantId) -> frozenset[str]:
    """The scopes that are engaged for this tenant, the one above everything among them."""
    rows = (_GUARDED if tx.is_guarded else _ENGAGED).rows(tx, {"whose": tenant})
    return frozenset(row.scope for row in rows)


def everybodys(tx: Transaction) -> frozenset[tuple[str, str]]:
    """Every switch that is engaged, as tenant and scope."""
    rows = _GUARDED.rows(tx, {"whose": "*"}) if tx.is_guarded else _ALL.rows(tx, {})
    return frozenset((row.tenant, row.scope) for row in rows)


def above_run(tx: Transaction, tenant: TenantId, run: RunId) -> str | None:
    """The widest engaged scope above the run; only where there is any is the run looked up."""
    scopes = engaged(tx, tenant)
    if not scopes:
        return None
    row = run_rows.get(tx, tenant, run)
    uppers = lineage.of(tx, row.parent)
    return above(scopes, beneath(row.id, row.workflow, started_by=row.started_by, uppers=uppers))


def beneath(run: str, workflow: str, *, started_by: str, uppers: Above) -> Beneath:
    """What decides which switches stand above a run that has the runs `uppers` above it."""
    return Beneath(
        runs=(run, *(each.id for each in uppers)),
        workflows=(workflow, *(each.workflow for each in uppers)),
        started_by=started_by,
    )


def demand_released(tx: Transaction, tenant: TenantId, run: RunId) -> None:
    """Return if no kill switch stands above the run, and none is engaged before this deed has ended.

    Call it first in a deed that begins what the world will see.

    Raises:
        KillSwitchTriggered: otherwise.
    """
    keep_still(tx)
    scope = above_run(tx, tenant, run)
    if scope is not None:
        raise KillSwitchTriggered(engaged_words(scope), scope=scope)


def demand_released_for(tx: Transaction, tenant: TenantId, by: str) -> None:
    """As `demand_released`, for an effect that belongs to no run and is `by`'s own; `keep_still` came first.

    Raises:
        KillSwitchTriggered: if a kill switch stands above everything, the tenant, or this agent.
    """
    scope = above(engaged(tx, tenant), Beneath(runs=(), workflows=(), started_by=by))
    if scope is not None:
        raise KillSwitchTriggered(engaged_words(scope), scope=scope)


def keep_still(tx: Transaction) -> None:
    """From here until this deed has ended, no switch is engaged or released by anybody else."""
    # SQLite has one writer, so there nobody could.
    if tx.sqlalchemy.dialect.name == "postgresql":
        _KEEP_STILL.rows(tx, {})


def take_hold(tx: Transaction) -> None:
    """Wait for every deed that begins a step; those that come later see what this deed writes."""
    if tx.sqlalchemy.dialect.name == "postgresql":
        _TAKE_HOLD.rows(tx, {})


def get(tx: Transaction, tenant: TenantId, scope: str) -> Switch | None:
    """The switch, if it is engaged."""
    row = find_one(tx, switches, {"tenant": tenant, "scope": scope})
    return None if row is None else _switch(row)


def of(tx: Transaction, tenant: TenantId) -> list[Switch]:
    """The tenant's own switches that are engaged, by scope."""
    return [_switch(row) for row in find(tx, switches, {"tenant": tenant}, order_by=("scope",))]


def put(tx: Transaction, tenant: TenantId, scope: str, *, by: str, reason: str) -> bool:
    """Engage; says whether it was not before. Nobody's wish to release it outlives this."""
    row = {
        "tenant": tenant,
        "scope": scope,
        "reason": reason,
        "engaged_by": by,
        "engaged_at": tx.now,
    }
    tx.hint(TOPIC)
    if add_new(tx, switches, row):
        return True
    forgotten = {"release_asked_by": None, "release_asked_at": None}
    change(tx, switches, {"tenant": tenant, "scope": scope}, forgotten)
    return False


def ask_release(tx: Transaction, switch: Switch, *, by: str) -> None:
    """Note who wants it released; it stays engaged."""
    asked = {"release_asked_by": by, "release_asked_at": tx.now}
    change(tx, switches, {"tenant": switch.tenant, "scope": switch.scope}, asked)


def remove(tx: Transaction, switch: Switch) -> None:
    """Release."""
    tx.connection.execute(
        delete(switches).where(switches.c.tenant == switch.tenant, switches.c.scope == switch.scope)
    )
    tx.hint(TOPIC)


def halted(tx: Transaction, *, limit: int) -> Iterator[tuple[TenantId, RunId]]:
    """Runs that wait for a switch and have none above them any more, tenant by tenant."""
    for each in tenants.listing(tx):
        tx.act_for(each.id)
        scopes = engaged(tx, each.id)
        rows = _HALTED.rows(tx, {"tenant": each.id})
        uppers = lineage.of_each(tx, [row.parent for row in rows])
        for row in rows:
            found = beneath(
                row.id, row.workflow, started_by=row.started_by, uppers=uppers[row.parent]
            )
            if limit > 0 and above(scopes, found) is None:
                limit -= 1
                yield each.id, RunId(row.id)


def _switch(row: Any) -> Switch:
    return Switch(
        tenant=TenantId(row.tenant),
        scope=row.scope,
        reason=row.reason,
        engaged_by=row.engaged_by,
        engaged_at=row.engaged_at,
        release_asked_by=row.release_asked_by,
        release_asked_at=row.release_asked_at,
    )


def no_vote_above(tx: Transaction, tenant: TenantId, run: RunId) -> KillSwitchTriggered | None:
    """Why no vote on an approval of `run` is taken now, in words for its voter; None if one is."""
    scope = above_run(tx, tenant, run)
    if scope is None:
        return None
    return KillSwitchTriggered(
        f"The kill switch for {scope} is engaged, so no vote is taken. Yours was not recorded; vote "
        "again when it is released.",
        scope=scope,
    )
