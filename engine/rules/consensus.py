"""What the signals of a case amount to: one pure function that every surface shows and decides by."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

CERTAIN: Final = 10_000  # a confidence of 1, in basis points
SOURCES_MIN: Final = 2  # nobody settles a matter alone


class Standing(StrEnum):
    """How near the sources are to one outcome."""

    NOTHING = "nothing"
    PROVISIONAL = "provisional"
    DISPUTED = "disputed"
    REACHED = "reached"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What one source says now, and how sure it is, in basis points."""

    source: str
    outcome: str
    confidence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Support:
    """Who says one outcome, sorted by name, and how sure all of them are together."""

    outcome: str
    sources: tuple[str, ...]
    weight: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Consensus:
    """What the reports amount to. `tally` begins with the outcome that has most, then by name.

    `outcome` is there once the standing is reached; `is_heard_out` says that as many sources have
    reported as the case wants to hear.
    """

    standing: Standing
    heard: int
    is_heard_out: bool
    tally: tuple[Support, ...]
    outcome: str | None = None

    @property
    def leading(self) -> str | None:
        """The outcome that has most; None in a tie, and where nobody has reported."""
        most = max((each.weight for each in self.tally), default=0)
        found = [each.outcome for each in self.tally if each.weight == most]
        return found[0] if len(found) == 1 else None

    @property
    def agreement(self) -> int:
        """How much of full certainty the first of the tally has, in basis points, rounded down."""
        return self.tally[0].weight // self.heard if self.tally else 0

    @property
    def majority(self) -> str | None:
        """The outcome for which more than half of full certainty speaks, once enough have reported."""
        if not self.is_heard_out or not self.tally:
            return None
        first = self.tally[0]
        return first.outcome if 2 * first.weight > CERTAIN * self.heard else None


def weigh(reports: Iterable[Report], *, enough: int, sources: int = SOURCES_MIN) -> Consensus:
    """What `reports`, one of each source, amount to.

    Each source has one voice, of which it gives its outcome as much as it is sure; what it is unsure
    of counts for nobody. Consensus is reached once at least `sources`, and two in any case, have
    reported and one outcome has `enough` of all voices, inclusive. Whatever
    the reports, at least two sources then say that outcome. Their order does not matter.

    Raises:
        ValueError: for two reports of one source, for half or less as enough, or more than all.
    """
    if not CERTAIN < 2 * enough <= 2 * CERTAIN:
        raise ValueError("Enough is more than half, and at most all.")
    voices: dict[str, dict[str, int]] = {}
    heard: set[str] = set()
    for report in reports:
        if report.source in heard:
            raise ValueError(f"{report.source!a} has reported twice.")
        heard.add(report.source)
        voices.setdefault(report.outcome, {})[report.source] = report.confidence
    found = (
        Support(outcome=outcome, sources=tuple(sorted(by)), weight=sum(by.values()))
        for outcome, by in voices.items()
    )
    tally = tuple(sorted(found, key=lambda each: (-each.weight, each.outcome)))
    is_heard_out = len(heard) >= max(sources, SOURCES_MIN)
    is_reached = is_heard_out and tally[0].weight >= enough * len(heard)
    return Consensus(
        standing=Standing.REACHED if is_reached else _short(tally, is_heard_out=is_heard_out),
        heard=len(heard),
        is_heard_out=is_heard_out,
        tally=tally,
        outcome=tally[0].outcome if is_reached else None,
    )


def _short(tally: tuple[Support, ...], *, is_heard_out: bool) -> Standing:
    if not tally:
        return Standing.NOTHING
    return Standing.DISPUTED if is_heard_out or len(tally) > 1 else Standing.PROVISIONAL
