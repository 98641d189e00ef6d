"""Anchors as rows: signed statements of how far every chain had come, to be kept outside as well."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Row, bindparam, func, or_, select, text, update

from engine.digest import canonical_text
from engine.ids import TenantId
from engine.rules.chaining import AUDIT
from engine.store.database import Transaction
from engine.store.prepared import Prepared
from engine.store.statements import add, add_new
from engine.store.tables import NEWS, anchored, anchors, audit, journal, runs

HEADS_MAX: Final = 10_000  # chains in one anchor


class Head(NamedTuple):
    """How far a chain has come: its last entry."""

    chain: str
    position: int
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """A signed statement. Its `words` are the canonical bytes that were signed."""

    number: int
    words: str
    signature: str
    at: datetime

    @property
    def statement(self) -> Mapping[str, Any]:
        """What it states; nothing, if that cannot be read."""
        try:
            stated: Mapping[str, Any] = json.loads(self.words)
        except ValueError:
            return {}
        return stated

    def line(self) -> str:
        """The anchor as it is kept outside: one line of JSON."""
        return f'{{"signature":"{self.signature}","statement":{self.words}}}'


def heads(
    tx: Transaction, tenant: TenantId, *, since: datetime | None, limit: int = HEADS_MAX
) -> list[Head]:
    """The chains that have come further than they were anchored, in the order of their names.

    With `since` only those that people were told something of from then on, or that are being
    driven; without, all of them.
    """
    anchored_to = (
        select(func.max(anchored.c.position))
        .where(anchored.c.tenant == tenant, anchored.c.chain == runs.c.id)
        .scalar_subquery()
    )
    query = select(runs.c.id, runs.c.next_position, runs.c.head).where(
        runs.c.tenant == tenant, func.coalesce(anchored_to, -1) < runs.c.next_position - 1
    )
    if since is not None:
        told = select(journal.c.run).where(
            journal.c.tenant == tenant, journal.c.at >= since, text(NEWS)
        )
        query = query.where(or_(runs.c.id.in_(told), runs.c.ready_at.is_not(None)))
    rows = tx.connection.execute(query.order_by(runs.c.id).limit(limit))
    found = (Head(row[0], row[1] - 1, row[2]) for row in rows)
    # In an order that does not ask how the database compares texts.
    return sorted([*_audit_head(tx, tenant), *found])


def news(tx: Transaction, tenant: TenantId, *, since: datetime, most: int) -> int:
    """How many entries that people are told of there are since, counted up to `most`."""
    found = (
        select(journal.c.position)
        .where(journal.c.tenant == tenant, journal.c.at > since, text(NEWS))
        .limit(most)
        .subquery()
    )
    return tx.connection.execute(select(func.count()).select_from(found)).scalar_one()


def digest(tenant: TenantId, found: Iterable[Head]) -> str:
    """The one digest of many heads, in the order of their chains; nothing but the last one is in memory."""
    hashed, own = hashlib.sha256(), canonical_text(tenant)
    for chain, position, last in found:  # canonical JSON of all four, with least work for each
        named = b"[%b,%b,%d,%b]\n" % (own, canonical_text(chain), position, canonical_text(last))
        hashed.update(named)
    return f"sha256:{hashed.hexdigest()}"


def last(tx: Transaction, tenant: TenantId) -> Anchor | None:
    """The newest anchor."""
    query = select(anchors).where(anchors.c.tenant == tenant)
    row = tx.connection.execute(query.order_by(anchors.c.number.desc()).limit(1)).one_or_none()
    return None if row is None else _anchor(row)


def keep(tx: Transaction, tenant: TenantId, anchor: Anchor, found: Sequence[Head]) -> bool:
    """Store an anchor with what it is of; says whether nobody else made one of that number."""
    row = {
        "tenant": tenant,
        "number": anchor.number,
        "statement": anchor.words,
        "signature": anchor.signature,
        "at": anchor.at,
    }
    if not add_new(tx, anchors, row):
        return False
    own = {"tenant": tenant, "anchor": anchor.number}
    if found:
        add(tx, anchored, [{**own, **head._asdict()} for head in found])
    return True


def listing(
    tx: Transaction, tenant: TenantId, *, after: int = 0, limit: int = 1_000
) -> list[Anchor]:
    """The anchors behind the number `after`, in order."""
    query = select(anchors).where(anchors.c.tenant == tenant, anchors.c.number > after)
    rows = tx.connection.execute(query.order_by(anchors.c.number).limit(limit))
    return [_anchor(row) for row in rows]


def every(tx: Transaction, tenant: TenantId) -> Iterator[Anchor]:
    """All anchors, in order."""
    after = 0
    while found := listing(tx, tenant, after=after):
        yield from found
        after = found[-1].number


def unpublished(tx: Transaction, tenant: TenantId, *, limit: int = 100) -> list[Anchor]:
    """The anchors that are not yet kept outside, the oldest first."""
    query = select(anchors).where(anchors.c.tenant == tenant, anchors.c.published_at.is_(None))
    rows = tx.connection.execute(query.order_by(anchors.c.number).limit(limit))
    return [_anchor(row) for row in rows]


def note_published(tx: Transaction, tenant: TenantId, number: int) -> None:
    """From now on the anchor is kept outside."""
    tx.connection.execute(
        update(anchors)
        .where(anchors.c.tenant == tenant, anchors.c.number == number)
        .values(published_at=tx.now)
    )


def of_anchor(tx: Transaction, tenant: TenantId, number: int) -> list[Head]:
    """What the anchor `number` is of, in the order in which its digest was made."""
    rows = _HEADS.plain(tx, {"tenant": tenant, "number": number})
    return [Head(*row) for row in sorted(map(tuple, rows))]


_HEADS: Final = Prepared(
    select(anchored.c.chain, anchored.c.position, anchored.c.hash)
    .where(anchored.c.tenant == bindparam("tenant"), anchored.c.anchor == bindparam("number"))
    .limit(HEADS_MAX + 2)
)


def marks(
    tx: Transaction, tenant: TenantId, *, after: str, upto: str | None
) -> dict[str, dict[int, str]]:
    """What was anchored of the runs behind `after`, up to `upto`: for each, hashes by position."""
    given = {"tenant": tenant, "after": after, "upto": upto}
    page = _MARKS if upto is None else _MARKS_UPTO
    found: dict[str, dict[int, str]] = {}
    for chain, position, hashed in page.plain(tx, given):
        if chain in found:
            found[chain][position] = hashed
        else:
            found[chain] = {position: hashed}
    return found


def marks_of(tx: Transaction, tenant: TenantId, chain: str) -> dict[int, str]:
    """What was anchored of one chain."""
    query = select(anchored.c.position, anchored.c.hash)
    own = (anchored.c.tenant == tenant, anchored.c.chain == chain)
    return {row[0]: row[1] for row in tx.connection.execute(query.where(*own))}


_OF_RUNS: Final = select(anchored.c.chain, anchored.c.position, anchored.c.hash).where(
    anchored.c.tenant == bindparam("tenant"),
    anchored.c.chain > bindparam("after"),
    anchored.c.chain != AUDIT,
)
_MARKS: Final = Prepared(_OF_RUNS)
_MARKS_UPTO: Final = Prepared(_OF_RUNS.where(anchored.c.chain <= bindparam("upto")))


def _audit_head(tx: Transaction, tenant: TenantId) -> list[Head]:
    before = (
        select(func.max(anchored.c.position))
        .where(anchored.c.tenant == tenant, anchored.c.chain == AUDIT)
        .scalar_subquery()
    )
    query = select(audit.c.position, audit.c.hash).where(
        audit.c.tenant == tenant, audit.c.position > func.coalesce(before, -1)
    )
    row = tx.connection.execute(query.order_by(audit.c.position.desc()).limit(1)).one_or_none()
    return [] if row is None else [Head(AUDIT, row.position, row.hash)]


def _anchor(row: Row[Any]) -> Anchor:
    return Anchor(number=row.number, words=row.statement, signature=row.signature, at=row.at)
