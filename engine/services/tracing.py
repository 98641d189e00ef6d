"""Traces for those who look at one run, and for whoever keeps all of them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from engine.ids import RunId, TenantId
from engine.rules.spans import Span
from engine.store import runs, tenants, traced
from engine.store.database import Transaction
from engine.store.traced import Trace, Turn

SETTLED_AFTER: Final = timedelta(seconds=10)  # until then an earlier moment may still come to light
KEPT_FOR: Final = timedelta(
    hours=1
)  # how far behind a sender may be before it leaves something out
TURN_FOR: Final = timedelta(minutes=2)
TREE_MAX: Final = 200
PAGE: Final = 200  # news at once, and about as many runs


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What is to be sent now: the spans that ended between two news of a run, `after` and `until`.

    Without `after` it is told of from its beginning; without `until` it is over.
    """

    tenant: TenantId
    trace: Trace
    spans: Sequence[Span]
    after: datetime | None
    until: datetime | None

    def covers(self, at: datetime) -> bool:
        """Whether this batch tells what happened then; exactly one of a run's batches does."""
        is_new = self.after is None or at > self.after
        return is_new and (self.until is None or at <= self.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What is new up to a moment; `behind` is how much was passed over, because nobody took it for so long."""

    until: datetime
    batches: Sequence[Batch]
    behind: timedelta = timedelta(0)


def of_run(tx: Transaction, tenant: TenantId, run: RunId) -> list[Trace]:
    """The traces of a run and of all that it started, the run's own first.

    Raises:
        NotFound: if this tenant has no such run.
    """
    row = runs.get(tx, tenant, run)
    wanted = traced.tree(tx, row, limit=TREE_MAX)
    found = {each.run.id: each for each in traced.traces(tx, tenant, wanted)}
    return [found[each] for each in wanted if each in found]


def standing(tx: Transaction) -> Turn | None:
    """How far everything is sent."""
    return traced.turn(tx)


def begin(tx: Transaction, before: Turn | None, *, holder: str, since: datetime) -> Turn | None:
    """Take the turn to send what follows; None while somebody else has it."""
    if before is not None and before.until is not None and before.until > tx.now:
        return None
    at = since if before is None else before.at
    mine = Turn(at=at, holder=holder, until=tx.now + TURN_FOR)
    return mine if traced.take_turn(tx, before, mine) else None


def end(tx: Transaction, mine: Turn, *, at: datetime) -> bool:
    """Give the turn back, with everything sent up to `at`; False if it had been taken away."""
    return traced.take_turn(tx, mine, Turn(at=at))


def due(tx: Transaction, after: datetime) -> Due:
    """What is new behind `after`, for every tenant that is active.

    A span is told once it has ended, between two news of its run: exactly one of all looks finds it, as
    long as each begins where the one before ended.
    """
    settled = tx.now - SETTLED_AFTER
    since = max(after, settled - KEPT_FOR)
    awake = [each.id for each in tenants.listing(tx) if each.is_active]
    until: datetime | None = None
    for tenant in awake:
        tx.act_for(tenant)
        found = traced.boundary(tx, tenant, since, settled, limit=PAGE)
        until = found if until is None else min(until, found or until)
    if until is None or until <= since:
        return Due(until=max(after, since), batches=())
    batches: list[Batch] = []
    for tenant in awake:
        tx.act_for(tenant)
        wanted = traced.changed(tx, tenant, since, until)
        batches += [
            _batch(tenant, each, since, until) for each in traced.traces(tx, tenant, wanted)
        ]
    return Due(until=until, batches=batches, behind=since - after)


def _batch(tenant: TenantId, trace: Trace, since: datetime, until: datetime) -> Batch:
    """The spans that ended between the last news before this look and the last in it."""
    earlier = max((at for at in trace.told if at <= since), default=None)
    latest = max(at for at in trace.told if at <= until)
    is_over = trace.run.ended_at is not None and trace.run.ended_at <= until
    batch = Batch(
        tenant=tenant, trace=trace, spans=(), after=earlier, until=None if is_over else latest
    )
    ended = [
        span for span in trace.spans if span.ended_at is not None and batch.covers(span.ended_at)
    ]
    return replace(batch, spans=ended)
