"""When calls of a target that keeps failing are held back, and how one of them finds out that it is well again."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

FAILURES_MAX: Final = 5  # in a row
FORGOTTEN_AFTER: Final = timedelta(minutes=10)  # a failure longer ago is none of the row
FIRST_REST: Final = timedelta(seconds=30)
LONGEST_REST: Final = timedelta(minutes=5)
TRIAL_WITHIN: Final = timedelta(minutes=2)  # whoever tries and is not heard of has died


class BreakerState(StrEnum):
    """Whether a target is called."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """What is known of one target. `trips` counts how often in a row it opened."""

    failures: int = 0
    trips: int = 0
    failed_at: datetime | None = None
    open_until: datetime | None = None
    trial_until: datetime | None = None

    def state(self, now: datetime) -> BreakerState:
        """Closed: everybody calls. Open: nobody does. Half open: one tries, and the others wait."""
        if self.open_until is None:
            return BreakerState.CLOSED
        return BreakerState.OPEN if now < self.open_until else BreakerState.HALF_OPEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """Whether a call may be made, and else when to ask again; `breaker` is to be stored."""

    breaker: Breaker
    again_at: datetime | None = None


def admit(breaker: Breaker, now: datetime) -> Admission:
    """Let a call through, or say when to ask again. Of those who ask while it is half open one is let
    through, and another only when that one has ended or was not heard of for two minutes.
    """
    match breaker.state(now):
        case BreakerState.CLOSED:
            return Admission(breaker=breaker)
        case BreakerState.OPEN:
            return Admission(breaker=breaker, again_at=breaker.open_until)
        case BreakerState.HALF_OPEN:
            if breaker.trial_until is not None and now < breaker.trial_until:
                # Whoever tries is done much sooner than it is given up.
                return Admission(breaker=breaker, again_at=min(breaker.trial_until, now + SOON))
            return Admission(breaker=replace(breaker, trial_until=now + TRIAL_WITHIN))


SOON: Final = timedelta(seconds=2)


def ended(breaker: Breaker, now: datetime, *, is_well: bool) -> Breaker:
    """What is known of the target after a call. One that answers is well at once; a failure of a call
    that was made before it opened says nothing new.
    """
    if is_well:
        return Breaker()
    if breaker.state(now) is BreakerState.OPEN:
        return breaker
    is_fresh = breaker.failed_at is not None and now - breaker.failed_at <= FORGOTTEN_AFTER
    failures = breaker.failures + 1 if is_fresh else 1
    failed = replace(breaker, failures=failures, failed_at=now, trial_until=None)
    if breaker.trips == 0 and failures < FAILURES_MAX:
        return failed
    rest = min(FIRST_REST * 2 ** min(breaker.trips, 10), LONGEST_REST)
    return replace(failed, trips=breaker.trips + 1, open_until=now + rest)
