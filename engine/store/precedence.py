"""What goes first in a process: the decisions that time makes, before whatever follows from them."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Final

PATIENCE: Final = timedelta(
    seconds=1
)  # however much there is to decide, others have a turn as often


class Precedence:
    """While somebody goes first, others let them pass. Used from the event loop's thread only."""

    def __init__(self) -> None:
        self._ahead = 0
        self._is_free = asyncio.Event()
        self._is_free.set()

    @contextmanager
    def going_first(self) -> Generator[None]:
        """Until the block ends, whoever lets others pass waits."""
        self._ahead += 1
        self._is_free.clear()
        try:
            yield
        finally:
            self._ahead -= 1
            if not self._ahead:
                self._is_free.set()

    @property
    def is_taken(self) -> bool:
        """Whether somebody goes first at this moment, as any thread may ask."""
        return self._ahead > 0

    async def let_pass(self, at_most: timedelta = PATIENCE) -> None:
        """Return once nobody goes first, or after `at_most`: nothing waits for ever."""
        with suppress(TimeoutError):
            async with asyncio.timeout(at_most.total_seconds()):
                await self._is_free.wait()
