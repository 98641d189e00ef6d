"""How things stand, in numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from engine.ids import TenantId
from engine.store import approvals, deliveries, pinned, runs, statistics, tenants
from engine.store.database import Transaction

DECISIONS_MAX = 1_000  # the latest, from which times are told


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionTimes:
    """How long people took to decide, the shortest first; at most the latest thousand times."""

    sorted_times: Sequence[timedelta]

    @property
    def count(self) -> int:
        """How many decisions are looked at."""
        return len(self.sorted_times)

    def quantile(self, share: float) -> timedelta | None:
        """The time within which this share of the decisions fell; None while there is none."""
        if not self.sorted_times:
            return None
        return self.sorted_times[min(self.count - 1, int(share * self.count))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """How many there are in each state, and how long people take."""

    runs: Mapping[str, int]
    approvals: Mapping[str, int]
    outbox: Mapping[str, int]
    decisions: DecisionTimes
    without_code: Mapping[str, int]  # runs of versions, like `refund@1`, that no process holds


def gather(tx: Transaction, tenant: TenantId) -> Statistics:
    """The numbers of this moment; states that nothing is in may be left out."""
    times = statistics.decision_times(tx, tenant, limit=DECISIONS_MAX)
    return Statistics(
        runs=runs.counts(tx, tenant),
        approvals=approvals.counts(tx, tenant),
        outbox=deliveries.counts(tx, tenant),
        decisions=DecisionTimes(sorted_times=times),
        without_code=pinned.versions_without_code(tx, tenant),
    )


def gather_all(tx: Transaction) -> dict[TenantId, Statistics]:
    """The numbers of every tenant, for whoever runs the installation."""
    found: dict[TenantId, Statistics] = {}
    for tenant in tenants.listing(tx):
        tx.act_for(tenant.id)
        found[tenant.id] = gather(tx, tenant.id)
    return found


def touch(tx: Transaction) -> None:
    """Ask the store the least that it cannot answer without being there."""
    statistics.touch(tx)
