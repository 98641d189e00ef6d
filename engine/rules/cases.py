"""Cases, on whose outcome several sources report: their states, and how what is said of them is written."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from engine.rules.consensus import CERTAIN, SOURCES_MIN, Standing
from engine.rules.durations import parse_duration
from engine.rules.wording import BadRule, is_sequence, is_whole, shown

SOURCES_MAX: Final = 100
OUTCOMES_MAX: Final = 50
NAME_CHARS_MAX: Final = 200
TITLE_CHARS_MAX: Final = 200
DEFAULT_ENOUGH: Final = "0.80"
DEFAULT_DEADLINE: Final = "30d"

_SHARE: Final = re.compile(r"(?P<whole>[01])(?:\.(?P<part>[0-9]{1,4}))?", re.ASCII)


class CaseStatus(StrEnum):
    """Where a case stands."""

    OPEN = "open"
    RESOLVED_PROVISIONAL = "resolved_provisional"
    IN_RECONCILIATION = "in_reconciliation"
    FINAL = "final"
    SETTLED = "settled"
    EXPIRED = "expired"
    CLOSED = "closed"


class Otherwise(StrEnum):
    """Who decides where the sources do not agree."""

    PEOPLE = "people"
    MAJORITY = "majority"


class Decider(StrEnum):
    """What made the outcome of a case final."""

    CONSENSUS = "consensus"
    MAJORITY = "majority"
    PEOPLE = "people"
    OPERATOR = "operator"


DECIDED: Final = frozenset({CaseStatus.FINAL, CaseStatus.SETTLED})
GIVEN_UP: Final = frozenset({CaseStatus.EXPIRED, CaseStatus.CLOSED})  # there will be no outcome
WAITING: Final = frozenset(CaseStatus) - DECIDED - GIVEN_UP


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a case demands of its sources; `enough` agreement is in basis points.

    Without `outcomes` every outcome may be reported. `collected` says that one caller may report for
    several sources, as whoever gathers answers of several models does.
    """

    title: str
    outcomes: tuple[str, ...] = ()
    enough: int
    sources: int = SOURCES_MIN
    collected: bool = False
    otherwise: Otherwise = Otherwise.PEOPLE


def after_signal(standing: Standing) -> CaseStatus:
    """Where an undecided case stands once its signals amount to `standing`."""
    match standing:
        case Standing.NOTHING:
            return CaseStatus.OPEN
        case Standing.PROVISIONAL | Standing.REACHED:
            return CaseStatus.RESOLVED_PROVISIONAL
        case Standing.DISPUTED:
            return CaseStatus.IN_RECONCILIATION


def parse_terms(
    title: str,
    *,
    outcomes: object = None,
    enough: object = DEFAULT_ENOUGH,
    sources: object = SOURCES_MIN,
    collected: bool = False,
    otherwise: object = Otherwise.PEOPLE,
) -> Terms:
    """The terms of a case, read strictly.

    Raises:
        BadRule: `bad_title`, `bad_outcome`, `bad_enough` or `bad_sources`; `bad_case` for who decides.
    """
    if not 1 <= len(title.strip()) <= TITLE_CHARS_MAX or not title.isprintable():
        raise BadRule("bad_title", f"A title has 1 to {TITLE_CHARS_MAX} characters on one line.")
    if not is_whole(sources) or not SOURCES_MIN <= sources <= SOURCES_MAX:
        raise BadRule(
            "bad_sources",
            f"A case hears {SOURCES_MIN} to {SOURCES_MAX} sources before anything is decided.",
        )
    if otherwise not in set(Otherwise):
        raise BadRule("bad_case", "Where sources do not agree, people decide, or a majority.")
    return Terms(
        title=title.strip(),
        outcomes=_outcomes(outcomes),
        enough=parse_enough(enough),
        sources=sources,
        collected=collected,
        otherwise=Otherwise(str(otherwise)),
    )


def parse_deadline(value: object) -> timedelta:
    """How long a case waits for its sources and for people: up to a year, for none waits for ever.

    Raises:
        BadRule: `bad_duration`.
    """
    return parse_duration(value if isinstance(value, str) else str(value))


def parse_enough(value: object) -> int:
    """How much agreement is enough, in basis points.

    Raises:
        BadRule: `bad_enough`, for half or less too: two outcomes could reach it.
    """
    share = _share(value)
    if share is None or 2 * share <= CERTAIN:
        raise BadRule(
            "bad_enough",
            'Enough agreement is a text of more than "0.50" and at most "1", such as "0.80".',
        )
    return share


def parse_confidence(value: object) -> int:
    """How sure a source is, in basis points.

    Raises:
        BadRule: `bad_confidence`, for binary fractions too: they are not exactly what was meant.
    """
    share = _share(value)
    if share is None:
        raise BadRule(
            "bad_confidence",
            'A confidence is a text from "0" to "1" with up to four decimals, such as "0.85".',
        )
    return share


def say_share(share: int) -> str:
    """Basis points as people write them: `0.80`, `0.8333`."""
    whole, part = divmod(share, CERTAIN)
    digits = f"{part:04}".rstrip("0").ljust(2, "0")
    return f"{whole}.{digits}"


def parse_outcome(value: str, allowed: Sequence[str]) -> str:
    """An outcome, of those that are allowed if any are named.

    Raises:
        BadRule: `missing_outcome`, `bad_outcome` or `unknown_outcome`.
    """
    outcome = value.strip()
    if not outcome:
        raise BadRule("missing_outcome", "Say which outcome; a blank one counts for nothing.")
    if not _is_name(outcome):
        raise BadRule(
            "bad_outcome", f"An outcome has up to {NAME_CHARS_MAX} characters on one line."
        )
    if allowed and outcome not in allowed:
        raise BadRule(
            "unknown_outcome",
            f"{shown(outcome)} is no outcome of this case; possible: {', '.join(allowed)}.",
        )
    return outcome


def parse_source(value: str) -> str:
    """The name of a source.

    Raises:
        BadRule: `missing_signal_source` or `bad_source`.
    """
    source = value.strip()
    if not source:
        raise BadRule(
            "missing_signal_source", "Say whose signal it is; nobody's counts for nothing."
        )
    if not _is_name(source):
        raise BadRule("bad_source", f"A source has up to {NAME_CHARS_MAX} characters on one line.")
    return source


def _share(value: object) -> int | None:
    text = str(value) if is_whole(value) else value
    found = _SHARE.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        return None
    share = int(found["whole"]) * CERTAIN + int((found["part"] or "").ljust(4, "0"))
    return share if share <= CERTAIN else None


def _is_name(value: str) -> bool:
    return len(value) <= NAME_CHARS_MAX and value.isprintable()


def _outcomes(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    if not is_sequence(value) or not 2 <= len(value) <= OUTCOMES_MAX:
        raise BadRule("bad_outcome", f"A case has 2 to {OUTCOMES_MAX} outcomes, or any at all.")
    found = tuple(parse_outcome(each if isinstance(each, str) else "", ()) for each in value)
    if len(set(found)) != len(found):
        raise BadRule("bad_outcome", "An outcome is there twice.")
    return found
