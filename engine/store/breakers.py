"""What is known of the targets of HTTP steps, one row for each, shared by all workers."""

from engine.ids import TenantId
from engine.rules.breaker import Breaker
from engine.store.database import Transaction
from engine.store.statements import add_new, change, find_one
from engine.store.tables import breakers


def get(tx: Transaction, tenant: TenantId, target: str, *, lock: bool = False) -> Breaker:
    """The target's breaker, a new one where nothing is known; with `lock`, nobody else changes it."""
    row = find_one(tx, breakers, {"tenant": tenant, "target": target}, lock=lock)
    if row is None:
        return Breaker()
    return Breaker(
        failures=row.failures,
        trips=row.trips,
        failed_at=row.failed_at,
        open_until=row.open_until,
        trial_until=row.trial_until,
    )


def locked(tx: Transaction, tenant: TenantId, target: str) -> Breaker:
    """As `get` with a lock, which even the first of all holds."""
    add_new(tx, breakers, {"tenant": tenant, "target": target, **_columns(Breaker())})
    return get(tx, tenant, target, lock=True)


def keep(tx: Transaction, tenant: TenantId, target: str, breaker: Breaker) -> None:
    """Store what is known now of a target that is `locked`."""
    change(tx, breakers, {"tenant": tenant, "target": target}, _columns(breaker))


def _columns(breaker: Breaker) -> dict[str, object]:
    return {
        "failures": breaker.failures,
        "trips": breaker.trips,
        "failed_at": breaker.failed_at,
        "open_until": breaker.open_until,
        "trial_until": breaker.trial_until,
    }
