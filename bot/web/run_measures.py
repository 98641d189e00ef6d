"""How long runs, steps, approvals and deliveries took, what failed, and what was spent: for `/metrics`."""

import asyncio
from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Final

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from typing_extensions import override

from engine.clock import Clock
from engine.ids import TenantId
from engine.rules.costs import TOKENS, currency_of
from engine.rules.money import MICROS
from engine.rules.spans import Span
from engine.services import tracing
from engine.services.tracing import Batch
from engine.store.database import Database

BOUNDS: Final = (0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 1_800, 3_600, 14_400, 86_400, 604_800)
SERIES_MAX: Final = 1_000  # of each measure; what is beyond is counted together
ROUNDS_MAX: Final = 25  # in one look; the rest is found by the next
OTHER: Final = "other"

# By the kind of span: the measure, what it says, and by what it is told apart besides the tenant.
_TIMES: Final[Mapping[str, tuple[str, str, tuple[str, ...]]]] = {
    "run": ("signoff_run_seconds", "How long runs took", ("workflow", "outcome")),
    "step": ("signoff_step_seconds", "How long steps took, with all their attempts", ("workflow", "step", "outcome")),
    "approval": ("signoff_approval_seconds", "How long approvals were open", ("workflow", "action", "outcome")),
    "compensation": (
        "signoff_compensation_seconds", "How long undoing took", ("workflow", "step", "outcome"),
    ),
    "delivery": ("signoff_delivery_seconds", "How long messages were on their way", ("channel", "outcome")),
}  # fmt: skip
_COUNTS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "signoff_runs_created": ("Runs that were started", ("workflow",)),
    "signoff_approvals_requested": ("Approvals that were asked for", ("workflow", "action")),
    "signoff_votes": ("Answers that people gave", ("workflow", "action", "choice", "channel")),
    "signoff_rollbacks": ("Times that runs went back", ("workflow",)),
    "signoff_step_retries": ("Attempts of steps after ones that failed", ("workflow", "step")),
    "signoff_step_failures": ("Attempts of steps that failed", ("workflow", "step", "error")),
    "signoff_cost": ("Money that steps cost", ("workflow", "step", "agent", "currency")),
    "signoff_tokens": ("Tokens that steps took", ("workflow", "step", "agent")),
}

# What is counted as it begins, by the kind of span, and as it happens, by the kind of entry.
_BEGUN: Final = {"run": "signoff_runs_created", "approval": "signoff_approvals_requested"}
_HAPPENED: Final = {"vote.recorded": "signoff_votes", "rollback.started": "signoff_rollbacks"}
_OF_A_VOTE: Final = ("choice", "channel")

_Labels = tuple[str, ...]


@dataclass(slots=True)
class _Times:
    """One series of a histogram."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    seconds: float = 0.0

    def note(self, took: timedelta) -> None:
        seconds = max(took.total_seconds(), 0.0)
        self.counts[bisect_left(BOUNDS, seconds)] += 1
        self.seconds += seconds

    def buckets(self) -> list[tuple[str, float]]:
        found: list[tuple[str, float]] = []
        so_far = 0
        for bound, count in zip((*map(float, BOUNDS), float("inf")), self.counts, strict=True):
            so_far += count
            found.append(("+Inf" if bound == float("inf") else str(bound), so_far))
        return found


class RunMeasures:
    """Counts what began and ended since this process did, in whichever process it did, when somebody looks.

    Nothing is counted while a run goes on: it is read from journals, at each look what came since the
    one before. Series are bounded; what is told apart too finely is counted as `other`. Of a run in a
    sandbox nothing is counted but its messages, which really are sent.
    """

    def __init__(self, database: Database, clock: Clock, *, series_max: int = SERIES_MAX) -> None:
        self._database, self._series_max = database, series_max
        self._place = clock.now() - timedelta(microseconds=1)  # what ends from now on
        self._times: dict[str, dict[_Labels, _Times]] = {kind: {} for kind in _TIMES}
        self._counts: dict[str, dict[_Labels, float]] = {name: {} for name in _COUNTS}
        self._looking = asyncio.Lock()

    async def look(self) -> None:
        """Count what has settled since the look before."""
        async with self._looking:
            for _round in range(ROUNDS_MAX):
                due = await self._database.read(partial(tracing.due, after=self._place))
                for batch in due.batches:
                    for span in batch.spans:
                        self._note(batch.tenant, span)
                    for span in batch.trace.spans:
                        self._note_news(batch, span)
                self._place = due.until
                if not due.batches:
                    return

    def of(self, tenants: Collection[TenantId]) -> Collector:
        """What was counted of these tenants."""
        return _Counted(self._times, self._counts, frozenset(tenants))

    def _note(self, tenant: TenantId, span: Span) -> None:
        if _is_rehearsed(span):
            return
        labels = _labels(span)
        if span.kind in _TIMES and span.ended_at is not None:
            _, _, names = _TIMES[span.kind]
            found = self._times[span.kind]
            key = self._bounded(found, (*(labels[name] for name in names), tenant))
            found.setdefault(key, _Times()).note(span.ended_at - span.began_at)
        if span.kind != "step":
            return
        failed = [each.facts for each in span.happened if each.name == "step.failed"]
        if failed:
            self._add("signoff_step_retries", labels, tenant, len(failed))
        if span.outcome == "failed" and "error.type" in span.facts:
            failed.append(span.facts)
        for facts in failed:
            error = str(facts.get("error.type", "error"))
            self._add("signoff_step_failures", {**labels, "error": error}, tenant, 1)
        currency = currency_of(span.cost)
        if currency is not None:
            spent = {**labels, "currency": currency}
            self._add("signoff_cost", spent, tenant, span.cost[currency] / MICROS)
        if TOKENS in span.cost:
            self._add("signoff_tokens", labels, tenant, span.cost[TOKENS])

    def _note_news(self, batch: Batch, span: Span) -> None:
        """Count what began, or happened in a span, since the run's news before."""
        if _is_rehearsed(span):
            return
        labels, begun = _labels(span), _BEGUN.get(span.kind)
        if begun is not None and batch.covers(span.began_at):
            self._add(begun, labels, batch.tenant, 1)
        for each in span.happened:
            name = _HAPPENED.get(each.name)
            if name is not None and batch.covers(each.at):
                said = {key: str(each.facts.get(f"signoff.{key}", "")) for key in _OF_A_VOTE}
                self._add(name, {**labels, **said}, batch.tenant, 1)

    def _add(self, name: str, labels: Mapping[str, str], tenant: TenantId, much: float) -> None:
        _, names = _COUNTS[name]
        found = self._counts[name]
        key = self._bounded(found, (*(labels[each] for each in names), tenant))
        found[key] = found.get(key, 0.0) + much

    def _bounded(self, found: Collection[_Labels], labels: _Labels) -> _Labels:
        if labels in found or len(found) < self._series_max:
            return labels
        return (*(OTHER for _label in labels[:-1]), labels[-1])


class _Counted(Collector):
    """What was counted, as some tenants may see it."""

    def __init__(
        self,
        times: Mapping[str, Mapping[_Labels, _Times]],
        counts: Mapping[str, Mapping[_Labels, float]],
        tenants: frozenset[TenantId],
    ) -> None:
        self._times, self._counts, self._tenants = times, counts, tenants

    @override
    def collect(self) -> Iterable[Metric]:
        for kind, (name, says, names) in _TIMES.items():
            histogram = HistogramMetricFamily(name, says, labels=(*names, "tenant"))
            for labels, each in self._times[kind].items():
                if labels[-1] in self._tenants:
                    histogram.add_metric(labels, each.buckets(), each.seconds)
            yield histogram
        for name, (says, names) in _COUNTS.items():
            counter = CounterMetricFamily(name, says, labels=(*names, "tenant"))
            for labels, much in self._counts[name].items():
                if labels[-1] in self._tenants:
                    counter.add_metric(labels, much)
            yield counter


def _is_rehearsed(span: Span) -> bool:
    return span.kind != "delivery" and bool(span.facts.get("signoff.sandbox"))


def _labels(span: Span) -> dict[str, str]:
    named = span.name.partition(" ")[2]
    facts = span.facts
    return {
        "workflow": str(facts["signoff.workflow"]),
        "step": named,
        "action": named,
        "outcome": span.outcome or "",
        "channel": str(facts.get("signoff.channel", "")),
        "agent": str(facts.get("signoff.agent", facts["signoff.started_by"])),
    }
