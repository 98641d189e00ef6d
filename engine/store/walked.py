"""Journals as they are walked: chained, hashed and folded in one pass over the driver's plain rows."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from engine.clock import iso_of
from engine.ids import TenantId
from engine.rules.chaining import ChainCheck
from engine.rules.folding import UNREAD, Folded
from engine.store.database import Transaction
from engine.store.lines import journal_rows
from engine.store.spelling import spelled


class Walked(NamedTuple):
    """One journal that was walked: how its chain stands, and what it says."""

    check: ChainCheck
    folded: Folded


def walked(
    tx: Transaction,
    tenant: TenantId,
    *,
    after: str,
    upto: str | None,
    begun: Callable[[str], ChainCheck],
) -> Iterator[Walked]:
    """The journals of the runs behind `after`, up to `upto`; each chain goes on from where it has `begun`.

    In memory are one journal's sums and a page of entries. Every entry that there is comes through
    here: what is done for each of them decides how long all of it takes.
    """
    now: Walked | None = None
    for rows in journal_rows(tx, tenant, after=after, upto=upto):
        for run, position, kind, name, path, data, at, previous, hashed in rows:
            if now is None or run != now.check.chain:
                if now is not None:
                    yield now
                now = Walked(begun(run), Folded())
            moment = iso_of(at)
            named = (kind, name, path)
            text = spelled(run, position, named, data=data, at=moment, previous=previous)
            now.check.follow(position, moment, previous, hashed, text)
            if kind not in UNREAD:
                now.folded.take(position, kind, data, path=path)
    if now is not None:
        yield now
