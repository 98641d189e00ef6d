"""Anchors: signs how far every chain has come, for keeping where nobody with the database can reach."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from engine.clock import iso
from engine.digest import canonical, sha256
from engine.ids import TenantId
from engine.signing import Signer
from engine.store import anchors
from engine.store.anchors import HEADS_MAX, Anchor, Head
from engine.store.database import Database, Transaction

TAG: Final = "signoff/anchor/v1"
OVERLAP: Final = timedelta(minutes=10)  # longer than any deed takes, and than clocks differ


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """When an anchor is due by itself: after so many entries that people hear of, or so long."""

    entries: int = 256
    every: timedelta = timedelta(minutes=5)


async def anchor_all(
    database: Database, tenant: TenantId, signer: Signer, *, since: datetime | None = None
) -> list[Anchor]:
    """Anchor whatever of `tenant` has grown, in as many anchors as it takes; none when nothing has.

    With `since` only what is known to have grown from then on. Several processes may do so at once:
    then some of the anchors are made by others.
    """
    made: list[Anchor] = []
    while True:
        # The last one first: of two who look at once, one finds that the other was faster.
        last, found = await database.read(
            lambda tx: (anchors.last(tx, tenant), anchors.heads(tx, tenant, since=since))
        )
        if not found:
            return made
        deed = _Deed(tenant, last, found, signer)
        anchor = await database.write(deed)
        if anchor is None:
            continue
        made.append(anchor)
        if len(found) < HEADS_MAX:
            return made


def is_due(tx: Transaction, tenant: TenantId, due: Due) -> tuple[bool, datetime | None]:
    """Whether an anchor is due, and from when on chains may have grown; None is from the beginning."""
    last = anchors.last(tx, tenant)
    if last is None:
        return True, None
    # A clock that was put back has made entries older than the anchor before them.
    since = min(last.at, tx.now) - OVERLAP
    if not timedelta(0) <= tx.now - last.at < due.every:
        return True, since
    counted = anchors.news(tx, tenant, since=last.at, most=due.entries)
    return counted >= due.entries, since


def unpublished(tx: Transaction, tenant: TenantId) -> list[Anchor]:
    """The anchors that are not yet kept outside, the oldest first."""
    return anchors.unpublished(tx, tenant)


def note_published(tx: Transaction, tenant: TenantId, number: int) -> None:
    """From now on the anchor `number` is kept outside."""
    anchors.note_published(tx, tenant, number)


def last(tx: Transaction, tenant: TenantId) -> Anchor | None:
    """The newest anchor."""
    return anchors.last(tx, tenant)


def listing(tx: Transaction, tenant: TenantId, *, after: int, limit: int) -> list[Anchor]:
    """The anchors behind the number `after`, in order."""
    return anchors.listing(tx, tenant, after=after, limit=limit)


@dataclass(frozen=True, slots=True)
class _Deed:
    """Signs these heads as the next anchor after `last`; gives None if somebody else was faster."""

    tenant: TenantId
    last: Anchor | None
    found: Sequence[Head]
    signer: Signer

    def __call__(self, tx: Transaction) -> Anchor | None:
        last = anchors.last(tx, self.tenant)
        if last != self.last:
            return None  # theirs may be of newer heads than these
        number = 1 if last is None else last.number + 1
        at = tx.now if last is None else max(tx.now, last.at)
        stated = {
            "version": TAG,
            "tenant": self.tenant,
            "number": number,
            "at": iso(at),
            "chains": len(self.found),
            "digest": anchors.digest(self.tenant, self.found),
            "previous": "" if last is None else sha256(last.words.encode()),
            "key": self.signer.public,
        }
        words = canonical(stated)
        anchor = Anchor(
            number=number, words=words.decode(), signature=self.signer.sign(words), at=at
        )
        return anchor if anchors.keep(tx, self.tenant, anchor, self.found) else None
