"""What those who watch are told: the news of a tenant, of a run, or of an approval."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from engine.clock import from_micros
from engine.errors import Invalid
from engine.ids import RunId, TenantId
from engine.store import approvals, news, runs
from engine.store.database import Transaction
from engine.store.news import News

SETTLED_AFTER: Final = timedelta(
    seconds=10
)  # where several write, one may commit after a later one
LOOK_MAX: Final = 5_000
PAGE_MAX: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place in the news: a moment, and the entry that was told last, if it was one."""

    at: datetime
    run: RunId | None = None
    position: int = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What was found, and the database's moment at which it was looked for."""

    found: tuple[News, ...]
    now: datetime
    is_whole: bool


def place_of(id: str) -> Place | None:
    """The place that an event's id names; None for what never was one."""
    moment, _, rest = id.partition(".")
    run, _, position = rest.rpartition(".")
    if not (moment.isascii() and moment.isdigit() and len(moment) <= 17):
        return None
    if not rest:
        return Place(at=from_micros(int(moment)))
    if not (run and position.isascii() and position.isdigit() and len(position) <= 12):
        return None
    return Place(at=from_micros(int(moment)), run=RunId(run), position=int(position))


def run_to_watch(
    tx: Transaction, tenant: TenantId, *, run: str | None, approval: str | None
) -> RunId | None:
    """The run that tells what is asked for; None where it is the whole tenant's news.

    Raises:
        Invalid: `bad_filter`, if both are named.
        NotFound: if this tenant has no such run or approval.
    """
    if run is not None and approval is not None:
        raise Invalid("Name a run or an approval, not both.", code="bad_filter")
    if approval is not None:
        return approvals.get(tx, tenant, approval).run
    return None if run is None else runs.get(tx, tenant, RunId(run)).id


def of_run(tx: Transaction, run: RunId, *, after: int) -> list[News]:
    """What followed in a run that the tenant was found to have: exactly once, in order, a page of it."""
    return news.of_run(tx, run, after=after, limit=PAGE_MAX)


def end_of_run(tx: Transaction, run: RunId) -> Place:
    """Where the run's news end at this moment."""
    return Place(at=tx.now, run=run, position=news.last_position(tx, run))


def look(tx: Transaction, tenant: TenantId, *, since: datetime | None) -> Look:
    """What the tenant's runs tell since shortly before `since`, or before now.

    An entry is stamped before it is committed, so it may come to light after one with a later stamp:
    each look goes ten seconds further back than it must, and finds what it found before once more.
    """
    now = tx.now
    begin = (now if since is None else min(since, now)) - SETTLED_AFTER
    found = tuple(news.newest(tx, tenant, since=begin, limit=LOOK_MAX))
    return Look(found=found, now=now, is_whole=len(found) < LOOK_MAX)
