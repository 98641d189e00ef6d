"""Wake-ups inside one process: a hint saves waiting for the next poll, and losing one costs only that wait."""

import asyncio
from collections import defaultdict
from collections.abc import Generator, Iterable
from contextlib import contextmanager, suppress
from datetime import timedelta

from engine.store.precedence import Precedence


class Ear:
    """One listener's bell: rings that came while nobody waited are not forgotten."""

    def __init__(self) -> None:
        self._bell = asyncio.Event()

    def ring(self) -> None:
        self._bell.set()

    async def wait(self, timeout: timedelta) -> None:
        """Return at a hint, or after `timeout`; which of the two is not said, because polling is the truth."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout.total_seconds()):
                await self._bell.wait()
        self._bell.clear()


class Hints:
    """Who wants to hear of which topic. Used from the event loop's thread only.

    `decisions` is whom those let pass who take up what follows from decisions: runs, and deliveries.
    """

    def __init__(self) -> None:
        self._ears: defaultdict[str, set[Ear]] = defaultdict(set)
        self.decisions = Precedence()

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
