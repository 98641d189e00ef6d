"""What was pruned of a chain: a signed summary of it, from which whatever follows goes on."""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, select

from engine.ids import RunId, TenantId
from engine.rules.chaining import AUDIT, ChainCheck, Damage, Finding
from engine.signing import is_signed
from engine.store.database import Transaction
from engine.store.statements import add
from engine.store.tables import runs, segments

TAG: Final = "signoff/segment/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """The entries of `chain` from `first` to `last` were pruned. `words` are the canonical bytes that were signed."""

    chain: str
    first: int
    last: int
    words: str
    signature: str

    @property
    def statement(self) -> Mapping[str, Any]:
        """What it states; nothing, if that cannot be read."""
        try:
            stated: Mapping[str, Any] = json.loads(self.words)
        except ValueError:
            return {}
        return stated if isinstance(stated, dict) else {}

    def line(self) -> str:
        """The segment as an export has it: one line of JSON."""
        return f'{{"segment":{self.words},"signature":"{self.signature}"}}'


def keep(tx: Transaction, tenant: TenantId, segment: Segment, *, at: datetime) -> None:
    """Store a segment; from now on what it is of may be deleted."""
    row = {
        "tenant": tenant,
        "chain": segment.chain,
        "first": segment.first,
        "last": segment.last,
        "statement": segment.words,
        "signature": segment.signature,
        "at": at,
    }
    add(tx, segments, [row])


def of_runs(
    tx: Transaction, tenant: TenantId, *, after: str, upto: str | None
) -> dict[str, list[Segment]]:
    """What was pruned of the runs behind `after`, up to `upto`, by run."""
    where = [segments.c.tenant == tenant, segments.c.chain > after, segments.c.chain != AUDIT]
    if upto is not None:
        where.append(segments.c.chain <= upto)
    return _found(tx, *where)


def of_chain(tx: Transaction, tenant: TenantId, chain: str) -> list[Segment]:
    """What was pruned of one chain, from its beginning on."""
    found = _found(tx, segments.c.tenant == tenant, segments.c.chain == chain)
    return found.get(chain, [])


def stands_for(tx: Transaction, tenant: TenantId, run: RunId) -> bool:
    """Whether the run's whole journal, up to the head that it has, was pruned."""
    found = of_chain(tx, tenant, run)
    head = tx.connection.execute(select(runs.c.head).where(runs.c.id == run)).scalar()
    return bool(found) and found[-1].statement.get("hash") == head


def follow(
    check: ChainCheck,
    found: Iterable[Segment],
    *,
    tenant: TenantId,
    trusted: Collection[str] | None,
) -> None:
    """Let `check` go over what was pruned at the beginning of its chain.

    With None for `trusted` it is only followed, and not asked who signed it.
    """
    for segment in found:
        stated = segment.statement
        said = tuple(stated.get(name) for name in ("version", "tenant", "chain", "first", "last"))
        is_itself = said == (TAG, tenant, segment.chain, segment.first, segment.last)
        key = str(stated.get("key"))
        if segment.chain != check.chain or not is_itself:
            says = "is told of by a summary that is not of it"
            check.findings.append(_forged(check.chain, segment.first, says))
        elif trusted is not None and not (
            key in trusted and is_signed(segment.words.encode(), segment.signature, by=key)
        ):
            says = "was pruned, and nobody who is trusted signed for that"
            check.findings.append(_forged(check.chain, segment.first, says))
        check.skip(
            first=segment.first,
            last=segment.last,
            previous=str(stated.get("previous")),
            head=str(stated.get("hash")),
        )


def _found(tx: Transaction, *where: Any) -> dict[str, list[Segment]]:
    found: dict[str, list[Segment]] = {}
    query = select(segments).where(*where).order_by(segments.c.chain, segments.c.first)
    for row in tx.connection.execute(query).all():
        found.setdefault(row.chain, []).append(_segment(row))
    return found


def _segment(row: Row[Any]) -> Segment:
    return Segment(
        chain=row.chain,
        first=row.first,
        last=row.last,
        words=row.statement,
        signature=row.signature,
    )


def _forged(chain: str, position: int, says: str) -> Finding:
    said = f"{chain}, position {position}: {says}."
    return Finding(damage=Damage.FORGED, chain=chain, position=position, says=said)
