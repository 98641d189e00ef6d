"""Walks every chain of a tenant and says what is not as it was written, and how much of it is anchored."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Final

from engine.clock import iso
from engine.digest import sha256
from engine.ids import TenantId
from engine.rules.chaining import AUDIT, ChainCheck, Damage, Finding
from engine.rules.folding import Folded
from engine.signing import is_signed
from engine.store import agreement, anchors, lines, runs
from engine.store.anchors import Anchor
from engine.store.database import Database, Transaction

FINDINGS_MAX: Final = 1_000  # are told; all of them are counted
OPEN_MAX: Final = 100
ANCHORS_AT_ONCE: Final = 100
AUDIT_AT_ONCE: Final = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRange:
    """The end of a chain of which no anchor tells yet."""

    chain: str
    first: int
    last: int
    since: str


@dataclass(slots=True, kw_only=True)
class Report:
    """What a walk found, and over how much it went."""

    tenant: TenantId
    runs: int = 0
    entries: int = 0
    anchored: int = 0
    anchors: int = 0
    last_anchor: Anchor | None = None
    open_chains: int = 0
    open_since: str | None = None
    open_ranges: list[OpenRange] = field(default_factory=list[OpenRange])
    damaged: int = 0
    findings: list[Finding] = field(default_factory=list[Finding])

    def add(self, found: Collection[Finding] | Iterator[Finding]) -> None:
        """Count these, and keep the first of all."""
        for finding in found:
            self.damaged += 1
            if len(self.findings) < FINDINGS_MAX:
                self.findings.append(finding)

    def to_json(self) -> dict[str, object]:
        """The report as `GET /api/audit/verify` answers it."""
        last = self.last_anchor
        return {
            "tenant": self.tenant,
            "is_whole": self.damaged == 0,
            "runs": self.runs,
            "entries": self.entries,
            "anchored": self.anchored,
            "anchors": self.anchors,
            "last_anchor": None if last is None else {"number": last.number, "at": iso(last.at)},
            "unanchored": {
                "entries": self.entries - self.anchored,
                "chains": self.open_chains,
                "since": self.open_since,
                "ranges": [
                    {
                        "chain": each.chain,
                        "first": each.first,
                        "last": each.last,
                        "since": each.since,
                    }
                    for each in self.open_ranges
                ],
            },
            "damaged": self.damaged,
            "findings": [finding.to_json() for finding in self.findings],
        }


async def verify(database: Database, tenant: TenantId, *, trusted: Collection[str]) -> Report:
    """Walk all chains of `tenant`, some at a time, so that writers never wait and memory stays small.

    Anchors count that one of the `trusted` public keys signed. What is written meanwhile may or may
    not be part of it; whatever is older is. A tampering that is younger than the newest anchor, and
    that computed every hash anew, cannot be told from the truth.
    """
    walk = Walk(tenant, trusted=trusted)
    while await database.read(walk.go_on):
        pass
    return walk.report


class Walk:
    """Goes over anchors, runs and audit in parts; each `go_on` is one part and one reading."""

    def __init__(self, tenant: TenantId, *, trusted: Collection[str]) -> None:
        self.report = Report(tenant=tenant)
        self._tenant, self._trusted = tenant, trusted
        self._anchor, self._previous = 0, ""
        self._run = ""
        self._audit: ChainCheck | None = None
        self._parts = iter((self._anchors, self._runs, self._audits))
        self._part = next(self._parts)

    def go_on(self, tx: Transaction) -> bool:
        """Walk on for a while; says whether there is more."""
        if self._part(tx):
            return True
        following = next(self._parts, None)
        if following is None:
            return False
        self._part = following
        return True

    def _anchors(self, tx: Transaction) -> bool:
        found = anchors.listing(tx, self._tenant, after=self._anchor, limit=ANCHORS_AT_ONCE)
        for anchor in found:
            self.report.add(self._wrong(tx, anchor))
            self._anchor, self._previous = anchor.number, sha256(anchor.words.encode())
            self.report.anchors += 1
            self.report.last_anchor = anchor
        return len(found) == ANCHORS_AT_ONCE

    def _wrong(self, tx: Transaction, anchor: Anchor) -> Iterator[Finding]:
        stated = anchor.statement
        if not is_trusted(anchor, stated, self._trusted):
            yield of_anchor(Damage.FORGED, anchor.number, "is not signed by a key that is trusted")
        if anchor.number != self._anchor + 1 or stated.get("previous") != self._previous:
            yield of_anchor(Damage.ANCHOR, anchor.number, "does not follow the one before")
        if (stated.get("number"), stated.get("tenant")) != (anchor.number, self._tenant):
            yield of_anchor(Damage.ANCHOR, anchor.number, "states another number or tenant")
        heads = anchors.of_anchor(tx, self._tenant, anchor.number)
        if stated.get("digest") != anchors.digest(self._tenant, heads):
            says = f"states {stated.get('chains')} chains, and they are not those that are kept"
            yield of_anchor(Damage.ANCHOR, anchor.number, says)

    def _runs(self, tx: Transaction) -> bool:
        page = runs.stored(tx, self._tenant, after=self._run, limit=agreement.AT_ONCE)
        is_last = len(page) < agreement.AT_ONCE
        after, upto = self._run, None if is_last else str(page[-1].id)
        marks = anchors.marks(tx, self._tenant, after=after, upto=upto)
        known = {str(row.id): row for row in page}
        journals: dict[str, Folded] = {}
        found = lines.journal_lines(tx, self._tenant, after=after, upto=upto)
        for run, entries in groupby(found, key=lambda line: line.chain):
            check, folded = ChainCheck(run, marks.pop(run, {})), Folded()
            for line in entries:
                check.take(line)
                folded.take(line.position, line.kind, line.data)
            self._end(check, known.get(run))
            journals[run] = folded
        for run, marked in marks.items():
            self._end(ChainCheck(run, marked), known.get(run))
        for run in known.keys() - journals.keys() - marks.keys():
            self._end(ChainCheck(run), known[run])
        self.report.add(agreement.disagreements(tx, self._tenant, page, journals))
        self.report.runs += len(page)
        self._run = upto or self._run
        return not is_last

    def _audits(self, tx: Transaction) -> bool:
        if self._audit is None:
            self._audit = ChainCheck(AUDIT, anchors.marks_of(tx, self._tenant, AUDIT))
        check, before = self._audit, self._audit.position
        for line in lines.audit_lines(tx, self._tenant, after=before - 1, most=AUDIT_AT_ONCE):
            check.take(line)
        if check.position - before >= AUDIT_AT_ONCE:
            return True
        check.end()
        self._count(check)
        return False

    def _end(self, check: ChainCheck, row: Any) -> None:
        if row is None:
            says = f"{check.chain}: its run is not there any more, or another tenant's."
            orphan = Finding(damage=Damage.ORPHAN, chain=check.chain, says=says)
            self.report.add([orphan])
            check.end()
        else:
            check.end(length=row.next_position, head=row.head)
        self._count(check)

    def _count(self, check: ChainCheck) -> None:
        report = self.report
        report.add(check.findings)
        report.entries += check.position
        anchored = min(check.anchored_to + 1, check.position)
        report.anchored += anchored
        if anchored == check.position or check.unanchored_since is None:
            return
        report.open_chains += 1
        since = check.unanchored_since
        report.open_since = min(report.open_since or since, since)
        if len(report.open_ranges) < OPEN_MAX:
            report.open_ranges.append(
                OpenRange(chain=check.chain, first=anchored, last=check.position - 1, since=since)
            )


def is_trusted(anchor: Anchor, stated: Mapping[str, Any], trusted: Collection[str]) -> bool:
    """Whether one of these keys signed the anchor, and it says so itself."""
    key = stated.get("key")
    return key in trusted and is_signed(anchor.words.encode(), anchor.signature, by=str(key))


def of_anchor(damage: Damage, number: int, says: str) -> Finding:
    """A finding about an anchor itself."""
    return Finding(damage=damage, chain=f"anchor {number}", says=f"Anchor {number} {says}.")
