"""Whether a chain of entries is as it was written: each follows the one before, and none is missing."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Final, NamedTuple

AUDIT: Final = "audit"  # what the chain is called that is no run's


class Damage(StrEnum):
    """What may be found."""

    EDITED = "edited"
    UNLINKED = "unlinked"
    MISSING = "missing"
    CUT = "cut"
    ADDED = "added"
    REWRITTEN = "rewritten"
    ORPHAN = "orphan"
    STATE = "state"
    ANCHOR = "anchor"
    FORGED = "forged"
    REWOUND = "rewound"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is not as it was written: in which chain, where, and in a sentence."""

    damage: Damage
    chain: str
    position: int | None = None
    says: str

    def to_json(self) -> dict[str, object]:
        """The finding as `GET /api/audit/verify` shows it."""
        return {
            "damage": self.damage,
            "chain": self.chain,
            "position": self.position,
            "says": self.says,
        }


class Line(NamedTuple):
    """An entry as its chain has it; `text` are the very words of which `hash` should be the hash."""

    chain: str
    position: int
    kind: str
    data: str
    at: str
    previous: str
    hash: str
    text: str
    path: str | None = None


class ChainCheck:
    """Follows one chain, entry by entry, and remembers nothing but where it stands.

    `marks` say which hash was anchored at which position.
    """

    __slots__ = (
        "anchored_to",
        "chain",
        "findings",
        "marks",
        "position",
        "previous",
        "pruned",
        "unanchored_since",
    )  # fmt: skip

    def __init__(
        self,
        chain: str,
        marks: Mapping[int, str] | None = None,
        *,
        position: int = 0,
        previous: str = "",
    ) -> None:
        self.chain, self.marks = chain, marks or {}
        self.position, self.previous = position, previous
        self.pruned = 0
        self.findings: list[Finding] = []
        self.unanchored_since: str | None = None
        # The last position that was anchored; -1 when none was.
        self.anchored_to = max(self.marks) if self.marks else -1

    def take(self, line: Line) -> None:
        """Look at the entry that comes next."""
        self.follow(line.position, line.at, line.previous, line.hash, line.text)

    def follow(self, position: int, at: str, previous: str, hashed: str, text: str) -> None:
        """The same for whoever has no line made of it: all of a record goes through here."""
        if position != self.position:
            self._missing(position)
        elif previous != self.previous:
            self._find(Damage.UNLINKED, position, "follows another entry than the one before")
        # Written out, as it is the most frequent thing that there is: `sha256` of `engine.digest`.
        if f"sha256:{sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()}" != hashed:
            self._find(Damage.EDITED, position, "is not what its hash was made of")
        if position > self.anchored_to:
            if self.unanchored_since is None:
                self.unanchored_since = at
        elif self.marks.get(position, hashed) != hashed:
            self._find(Damage.REWRITTEN, position, "is not the entry that was anchored")
        self.position, self.previous = position + 1, hashed

    def skip(self, *, first: int, last: int, previous: str, head: str) -> None:
        """The entries from `first` to `last` were pruned: what follows goes on from the hash `head`."""
        if first != self.position:
            self._missing(first)
        elif previous != self.previous:
            self._find(
                Damage.UNLINKED, first, "was pruned behind another entry than the one before"
            )
        if self.marks.get(last, head) != head:
            self._find(Damage.REWRITTEN, last, "was pruned, and is not the entry that was anchored")
        self.pruned += max(last + 1 - first, 0)
        self.position, self.previous = last + 1, head

    def end(self, *, length: int | None = None, head: str | None = None) -> None:
        """No entry follows: there should be `length`, and the last should have the hash `head`."""
        lost = self.anchored_to
        if lost >= self.position:
            self._find(Damage.CUT, lost, "was anchored and is not there any more")
        if length is None:
            return
        if length > self.position:
            says = f"{length} entries were written, and the chain ends here"
            self._find(Damage.CUT, self.position, says)
        elif length < self.position:
            self._find(Damage.ADDED, length, f"only {length} entries were written")
        elif head != self.previous:
            self._find(Damage.UNLINKED, self.position - 1, "is not the head that the run has")

    def _missing(self, found: int) -> None:
        says = "is missing" if found > self.position else "is there twice"
        self._find(Damage.MISSING, self.position, says)

    def _find(self, damage: Damage, position: int, says: str) -> None:
        said = f"{self.chain}, position {position}: {says}."
        self.findings.append(Finding(damage=damage, chain=self.chain, position=position, says=said))
