"""What a check of the record comes to: what was found, over how much, and how much of it is anchored."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from engine.clock import iso
from engine.digest import sha256
from engine.ids import TenantId
from engine.rules.chaining import ChainCheck, Damage, Finding
from engine.signing import is_signed
from engine.store import anchors
from engine.store.anchors import Anchor, Head

FINDINGS_MAX: Final = 1_000  # are told; all of them are counted
OPEN_MAX: Final = 100


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
    pruned: int = 0  # of the entries: what a signed summary stands for
    anchored: int = 0
    anchors: int = 0
    last_anchor: Anchor | None = None
    open_chains: int = 0
    open_since: str | None = None
    open_ranges: list[OpenRange] = field(default_factory=list[OpenRange])
    damaged: int = 0
    findings: list[Finding] = field(default_factory=list[Finding])

    def add(self, found: Iterable[Finding]) -> None:
        """Count these, and keep the first of all."""
        for finding in found:
            self.damaged += 1
            if len(self.findings) < FINDINGS_MAX:
                self.findings.append(finding)

    def count(self, check: ChainCheck) -> None:
        """Add a chain that was followed to its end."""
        if check.findings:
            self.add(check.findings)
        length, anchored = check.position, check.anchored_to + 1
        self.entries += length
        self.pruned += check.pruned
        self.anchored += min(length, anchored)
        if anchored >= length or check.unanchored_since is None:
            return
        self.open_chains += 1
        since = check.unanchored_since
        self.open_since = min(self.open_since or since, since)
        if len(self.open_ranges) < OPEN_MAX:
            self.open_ranges.append(
                OpenRange(chain=check.chain, first=anchored, last=check.position - 1, since=since)
            )

    def join(self, part: "Report") -> None:
        """Add what was found in a part of the record."""
        self.runs += part.runs
        self.entries += part.entries
        self.pruned += part.pruned
        self.anchored += part.anchored
        self.open_chains += part.open_chains
        self.open_since = min(filter(None, (self.open_since, part.open_since)), default=None)
        self.open_ranges += part.open_ranges[: OPEN_MAX - len(self.open_ranges)]
        self.damaged += part.damaged
        self.findings += part.findings[: FINDINGS_MAX - len(self.findings)]

    def to_json(self) -> dict[str, object]:
        """The report as `GET /api/audit/verify` answers it."""
        last = self.last_anchor
        return {
            "tenant": self.tenant,
            "is_whole": self.damaged == 0,
            "runs": self.runs,
            "entries": self.entries,
            "pruned": self.pruned,
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


class AnchorCheck:
    """Follows the anchors of one tenant, in order: each signed, each behind the one before."""

    def __init__(self, report: Report, trusted: Collection[str]) -> None:
        self._report, self._trusted = report, trusted
        self.number, self._previous = 0, ""

    def take(self, anchor: Anchor, heads: Sequence[Head]) -> None:
        """Look at the anchor that comes next, and at what is kept of what it is of."""
        stated, tenant = anchor.statement, self._report.tenant
        key = stated.get("key")
        if key not in self._trusted or not is_signed(
            anchor.words.encode(), anchor.signature, by=str(key)
        ):
            self._find(Damage.FORGED, anchor.number, "is not signed by a key that is trusted")
        if anchor.number != self.number + 1 or stated.get("previous") != self._previous:
            self._find(Damage.ANCHOR, anchor.number, "does not follow the one before")
        if (stated.get("number"), stated.get("tenant")) != (anchor.number, tenant):
            self._find(Damage.ANCHOR, anchor.number, "states another number or tenant")
        if stated.get("digest") != anchors.digest(tenant, heads):
            says = f"states {stated.get('chains')} chains, and they are not those that are kept"
            self._find(Damage.ANCHOR, anchor.number, says)
        self.number, self._previous = anchor.number, sha256(anchor.words.encode())
        self._report.anchors += 1
        self._report.last_anchor = anchor

    def _find(self, damage: Damage, number: int, says: str) -> None:
        chain, said = f"anchor {number}", f"Anchor {number} {says}."
        self._report.add([Finding(damage=damage, chain=chain, says=said)])
