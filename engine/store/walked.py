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
    chain, now = "", Walked(ChainCheck(""), Folded())
    follow, take = now.check.follow, now.folded.take
    clocked, moment = None, ""
    for rows in journal_rows(tx, tenant, after=after, upto=upto):
        for run, position, kind, name, path, data, at, previous, hashed in rows:
            if run != chain:
                if chain:
                    yield now
                chain, now = run, Walked(begun(run), Folded())
                follow, take = now.check.follow, now.folded.take
            if at != clocked:  # what one deed wrote has one moment
                clocked, moment = at, iso_of(at)
            named = (kind, name, path)
            text = spelled(run, position, named, data=data, at=moment, previous=previous)
            follow(position, moment, previous, hashed, text)
            if kind in UNREAD:
                continue
            try:
                take(position, kind, data, path=path)
            except TypeError:  # a hand stored bytes where texts are
                now.folded.wrong.append((position, "it cannot be read"))
    if chain:
        yield now
