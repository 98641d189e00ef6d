"""Whether what is driven here kept this process from its leases, or whether something outside did."""

import asyncio
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta
from typing import Final

from engine.rules.stalls import Stalls

EVERY: Final = 0.1  # seconds


class Pulse:
    """A thread and the event loop, each of which notes that it lives; the thread compares."""

    def __init__(self) -> None:
        self._beat_at = time.monotonic()
        self._stalls = Stalls.since(self._beat_at, time.process_time())
        self._is_over = threading.Event()

    @contextmanager
    def beating(self) -> Generator[None]:
        """Compare until the block ends; it is entered in the event loop that is meant."""
        loop = asyncio.get_running_loop()
        handle: asyncio.TimerHandle | None = None

        def beat() -> None:
            nonlocal handle
            self._beat_at = time.monotonic()
            handle = loop.call_later(EVERY, beat)

        beat()
        self.begin_anew()
        thread = threading.Thread(target=self._compare, name="signoff-pulse", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._is_over.set()
            if handle is not None:
                handle.cancel()

    def begin_anew(self) -> None:
        """Forget what was until now: all leases are proven."""
        self._stalls = Stalls.since(time.monotonic(), time.process_time())

    @property
    def blocked_for(self) -> timedelta:
        """The longest time for which code held everything up since then."""
        return timedelta(seconds=self._stalls.longest)

    def _compare(self) -> None:
        while not self._is_over.wait(EVERY):
            beat_at = self._beat_at
            self._stalls.tick(time.monotonic(), worked=time.process_time(), beat_at=beat_at)
