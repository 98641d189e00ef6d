"""Wake-ups inside one process: a hint saves waiting for the next poll, and losing one costs only that wait."""

import asyncio
import threading
from collections import defaultdict
from collections.abc import Generator, Iterable
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from engine.store.precedence import Precedence

if TYPE_CHECKING:
    from engine.store.riding import Rider


class Ear:
    """One listener's bell: rings that came while nobody waited are not forgotten. It counts them, too."""

    def __init__(self) -> None:
        self._bell = asyncio.Event()
        self.rings = 0

    def ring(self) -> None:
        self.rings += 1
        self._bell.set()

    async def wait(self, timeout: timedelta) -> None:
        """Return at a hint, or after `timeout`; which of the two is not said, because polling is the truth."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout.total_seconds()):
                await self._bell.wait()
        self._bell.clear()


class Riders:
    """Deeds that go along with the transaction that hints at their topic, one for each. Safe from any thread.

    Where nobody lets them board they wait until they leave: whoever listens to the topic hears of it anyway.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, Rider] = {}

    def wait(self, topic: str, rider: "Rider") -> None:
        """Let `rider` go along with the next one that hints at `topic`, unless somebody waits for it already."""
        with self._lock:
            self._waiting.setdefault(topic, rider)

    def leave(self, topic: str, rider: "Rider") -> bool:
        """Wait no longer; False if it was let board before, so that it is answered."""
        with self._lock:
            if self._waiting.get(topic) is rider:
                del self._waiting[topic]
            return not rider.has_boarded

    def board(self, topics: Iterable[str]) -> "list[Rider]":
        """Those who wait for one of `topics`. They are done with the transaction, or fail with it."""
        if not self._waiting:
            return []
        with self._lock:
            found = [self._waiting.pop(topic) for topic in topics if topic in self._waiting]
            for rider in found:
                rider.has_boarded = True
            return found


class Hints:
    """Who wants to hear of which topic. Used from the event loop's thread only, but for `riders`.

    `decisions` is whom those let pass who take up what follows from decisions: runs, and deliveries.
    """

    def __init__(self) -> None:
        self._ears: defaultdict[str, set[Ear]] = defaultdict(set)
        self.decisions = Precedence()
        self.riders = Riders()

    def fire(self, topics: Iterable[str]) -> None:
        """Ring everybody who listens to one of `topics`."""
        for topic in topics:
            for ear in self._ears.get(topic, ()):
                ear.ring()

    def fire_all(self) -> None:
        """Ring everybody: whatever happened may not have been heard here."""
        self.fire(list(self._ears))

    @contextmanager
    def listen(self, *topics: str) -> Generator[Ear]:
        """Hear of `topics` until the block ends."""
        ear = Ear()
        for topic in topics:
            self._ears[topic].add(ear)
        try:
            yield ear
        finally:
            for topic in topics:
                self._ears[topic].discard(ear)
                if not self._ears[topic]:
                    del self._ears[topic]
