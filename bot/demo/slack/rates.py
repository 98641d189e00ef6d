"""How often Slack lets an app call: a bucket for every method, and one for every channel."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from bot.demo.slack import limits
from engine.clock import Clock


@dataclass(slots=True)
class _Bucket:
    level: float
    at: datetime


class Rates:
    """Token buckets by the injected clock. Switch `enabled` off to let everything through."""

    def __init__(self, *, clock: Clock, enabled: bool = True) -> None:
        self.enabled = enabled
        self._clock = clock
        self._buckets: dict[str, _Bucket] = {}

    def wait_for(self, method: str, channel: str) -> timedelta | None:
        """None when the call may pass now, else how long Slack asks to wait."""
        if not self.enabled:
            return None
        if method == "chat.postMessage":
            return self._take(f"{method} {channel}", limits.POSTS_BURST, limits.POSTS_PER_SECOND)
        a_minute = limits.METHOD_TIERS.get(method)
        return None if a_minute is None else self._take(method, a_minute, a_minute / 60)

    def _take(self, name: str, capacity: int, per_second: float) -> timedelta | None:
        now = self._clock.now()
        bucket = self._buckets.setdefault(name, _Bucket(capacity, now))
        passed = max(0.0, (now - bucket.at).total_seconds())
        bucket.level = min(capacity, bucket.level + passed * per_second)
        bucket.at = now
        if bucket.level >= 1:
            bucket.level -= 1
            return None
        return timedelta(seconds=max(1, ceil((1 - bucket.level) / per_second)))
