"""How often something may be tried from one place: a bucket of tries that fills up again with time."""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from engine.clock import Clock
from engine.errors import Unavailable

PLACES_MAX: Final = 10_000  # remembered; the longest unseen is forgotten first


class TooManyTries(Unavailable):
    """So many tries from one place that it has to wait; nothing else is wrong."""

    code = "too_many_tries"

    def __init__(self, retry_after: timedelta) -> None:
        seconds = max(1, round(retry_after.total_seconds()))
        super().__init__(f"Too many tries from here. Try again in {seconds} s.")
        self.retry_after_s = seconds


class TooManyStreams(Unavailable):
    """So many streams of one caller, or of all, that no further one is opened."""

    code = "too_many_streams"

    def __init__(self) -> None:
        super().__init__("Too many streams are open. Close some, or ask again in a while.")
        self.retry_after_s = 30


@dataclass(slots=True)
class _Bucket:
    left: float
    at: datetime


class Buckets:
    """`tries` within `per` for each place, and never a longer wait than for one more."""

    def __init__(self, clock: Clock, *, tries: int, per: timedelta) -> None:
        self._clock = clock
        self._tries, self._per = tries, per
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def spend(self, place: str) -> None:
        """Count one try from `place`.

        Raises:
            TooManyTries: if none is left; this one is not counted.
        """
        now = self._clock.now()
        bucket = self._buckets.pop(place, None) or _Bucket(self._tries, now)
        filled = (now - bucket.at) / self._per * self._tries
        bucket.left = min(self._tries, bucket.left + max(0.0, filled))
        bucket.at = now
        self._buckets[place] = bucket
        if len(self._buckets) > PLACES_MAX:
            self._buckets.popitem(last=False)
        if bucket.left < 1:
            raise TooManyTries((1 - bucket.left) / self._tries * self._per)
        bucket.left -= 1
