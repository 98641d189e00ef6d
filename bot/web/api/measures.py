"""The store's numbers as Prometheus reads them."""

from collections.abc import Iterable, Mapping
from typing import Final

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from typing_extensions import override

from engine.rules.states import ApprovalStatus, RunStatus
from engine.services.statistics import Statistics

DELIVERIES: Final = ("pending", "sent", "dead", "dropped")
SHARES: Final = (0.5, 0.9, 0.99)


class Measures(Collector):
    """One moment's numbers. States that nothing is in are told as nought, so that alerts can see them."""

    def __init__(self, found: Statistics) -> None:
        self._found = found

    @override
    def collect(self) -> Iterable[Metric]:
        found = self._found
        yield _gauge("signoff_runs", "Runs in each state", found.runs, RunStatus)
        yield _gauge(
            "signoff_approvals", "Approvals in each state", found.approvals, ApprovalStatus
        )
        yield _gauge("signoff_outbox", "Messages in each state", found.outbox, DELIVERIES)
        times = GaugeMetricFamily(
            "signoff_decision_seconds",
            "How long people took, over the latest decisions",
            labels=["quantile"],
        )
        for share in SHARES:
            within = found.decisions.quantile(share)
            if within is not None:
                times.add_metric([str(share)], within.total_seconds())
        yield times


def _gauge(
    name: str, says: str, counts: Mapping[str, int], states: Iterable[str]
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, says, labels=["status"])
    for state in states:
        family.add_metric([str(state)], counts.get(state, 0))
    return family
