"""The record as lines that prove themselves: whoever has them needs no database to check them."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from typing_extensions import override

from engine.clock import iso
from engine.ids import TenantId
from engine.rules.chaining import AUDIT, Line
from engine.store import anchors, kept_runs, lines, sealing, segments
from engine.store.database import Transaction
from engine.store.exports import compact, entry, header
from engine.store.kept_runs import Standing
from engine.store.segments import Segment

RUNS_AT_ONCE: Final = 20
ENTRIES_AT_ONCE: Final = 2_000


class Part(StrEnum):
    """The parts of an export, in their order."""

    ANCHORS = "anchors"
    RUNS = "runs"
    AUDIT = "audit"
    END = "end"


@dataclass(frozen=True, slots=True)
class Place:
    """How far an export has come: the part, and what of it was last."""

    part: Part = Part.ANCHORS
    after: str = ""

    @classmethod
    def read(cls, text: str | None) -> "Place":
        """The place that `str` wrote; the beginning for nothing, and for what cannot be read."""
        part, _, after = (text or "").partition("~")
        return cls(Part(part), after) if part in set(Part) else cls()

    @override
    def __str__(self) -> str:
        return f"{self.part}~{self.after}"


def first(tx: Transaction, tenant: TenantId, key: str) -> str:
    """The first line; anchors are signed by the public `key`."""
    return header(tenant, at=iso(tx.now), key=key)


def page(tx: Transaction, tenant: TenantId, place: Place) -> tuple[list[str], Place | None]:
    """The lines behind `place`, and where they end; None when there are no more."""
    match place.part:
        case Part.ANCHORS:
            return _anchors(tx, tenant, int(place.after or "0"))
        case Part.RUNS:
            return _runs(tx, tenant, place.after)
        case Part.AUDIT:
            return _audit(tx, tenant, int(place.after or "-1"))
        case Part.END:
            return [compact({"end": True})], None


def readable(tx: Transaction, tenant: TenantId, told: Sequence[str]) -> list[str]:
    """The lines as people read them: with what was written in place of how it is sealed.

    Such lines prove nothing, for hashes are of what is sealed.
    """
    sealed = [line for line in told if sealing.is_sealed(line)]
    read = sealing.opened(tx, tenant, [json.loads(line) for line in sealed])
    opened = dict(zip(sealed, map(compact, read), strict=True))
    return [opened.get(line, line) for line in told]


def _anchors(tx: Transaction, tenant: TenantId, after: int) -> tuple[list[str], Place]:
    found = anchors.listing(tx, tenant, after=after, limit=10)
    told: list[str] = []
    for anchor in found:
        told.append(anchor.line())
        heads = [list(each) for each in anchors.of_anchor(tx, tenant, anchor.number)]
        told.append(compact({"anchor": anchor.number, "heads": heads}))
    if not found:
        return told, Place(Part.RUNS)
    return told, Place(Part.ANCHORS, str(found[-1].number))


def _runs(tx: Transaction, tenant: TenantId, after: str) -> tuple[list[str], Place]:
    found = kept_runs.standings(tx, tenant, after=after, limit=RUNS_AT_ONCE)
    is_last = len(found) < RUNS_AT_ONCE
    upto = None if is_last else found[-1].id  # behind the last run there may be what has none
    journals = lines.journal_lines(tx, tenant, after=after, upto=upto)
    following = Place(Part.AUDIT) if upto is None else Place(Part.RUNS, upto)
    pruned = segments.of_runs(tx, tenant, after=after, upto=upto)
    return list(_journals(found, journals, pruned)), following


def _journals(
    found: Sequence[Standing], journals: Iterator[Line], pruned: Mapping[str, Sequence[Segment]]
) -> Iterator[str]:
    own: dict[str, list[str]] = {run.id: [] for run in found}
    for line in journals:
        own.setdefault(line.chain, []).append(entry(line))
    known = {run.id: run for run in found}
    for chain, told in own.items():
        run = known.get(chain)
        length, last = (None, None) if run is None else (run.length, run.head)
        yield compact({"chain": chain, "length": length, "head": last})
        yield from (segment.line() for segment in pruned.get(chain, ()))
        yield from told


def _audit(tx: Transaction, tenant: TenantId, after: int) -> tuple[list[str], Place]:
    told: list[str] = []
    if after < 0:
        told.append(compact({"chain": AUDIT, "length": None, "head": None}))
        pruned = segments.of_chain(tx, tenant, AUDIT)
        told += (segment.line() for segment in pruned)
        after = pruned[-1].last if pruned else after
    position = after
    for line in lines.audit_lines(tx, tenant, after=after, most=ENTRIES_AT_ONCE):
        told.append(entry(line))
        position = line.position
    is_more = position - after >= ENTRIES_AT_ONCE
    return told, Place(Part.AUDIT, str(position)) if is_more else Place(Part.END)
