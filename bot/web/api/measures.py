"""The store's numbers as Prometheus reads them."""

from collections.abc import Iterable, Mapping
from typing import Final

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from typing_extensions import override

from engine.ids import TenantId
from engine.rules.states import ApprovalStatus, RunStatus
from engine.services.statistics import Statistics

DELIVERIES: Final = ("pending", "sent", "dead", "dropped")
SHARES: Final = (0.5, 0.9, 0.99)


class Measures(Collector):
    """One moment's numbers. States that nothing is in are told as nought, so that alerts can see them."""

    def __init__(self, found: Mapping[TenantId, Statistics]) -> None:
        self._found = found

    @override
    def collect(self) -> Iterable[Metric]:
        found = self._found
        runs = {tenant: each.runs for tenant, each in found.items()}
        yield _gauge("signoff_runs", "Runs in each state", runs, RunStatus)
        approvals = {tenant: each.approvals for tenant, each in found.items()}
        yield _gauge("signoff_approvals", "Approvals in each state", approvals, ApprovalStatus)
        outbox = {tenant: each.outbox for tenant, each in found.items()}
        yield _gauge("signoff_outbox", "Messages in each state", outbox, DELIVERIES)
        lacking = GaugeMetricFamily(
            "signoff_runs_without_code",
            "Runs that are ready, and whose version no process holds",
            labels=["version", "tenant"],
        )
        for tenant, each in found.items():
            for version, count in each.without_code.items():
                lacking.add_metric([version, tenant], count)
        yield lacking
        times = GaugeMetricFamily(
            "signoff_decision_seconds",
            "How long people took, over the latest decisions",
            labels=["quantile", "tenant"],
        )
        for tenant, each in found.items():
            for share in SHARES:
                within = each.decisions.quantile(share)
                if within is not None:
                    times.add_metric([str(share), tenant], within.total_seconds())
        yield times


def _gauge(
    name: str, says: str, counts: Mapping[TenantId, Mapping[str, int]], states: Iterable[str]
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, says, labels=["status", "tenant"])
    for state in states:
        for tenant, each in counts.items():
            family.add_metric([str(state), tenant], each.get(state, 0))
    return family
