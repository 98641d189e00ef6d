"""Who waits for the store, and for how long: while others are served, and no longer than it may be silent."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final

SILENT_FOR: Final = timedelta(seconds=25)


class Line:
    """Everybody who wants something of one store. A crowd may wait long; a dead store lets nobody wait."""

    def __init__(self, silent_for: timedelta = SILENT_FOR) -> None:
        self._silent_for = silent_for.total_seconds()
        self._served_at = float("-inf")

    def served(self) -> None:
        """Say that the store did something for somebody."""
        self._served_at = asyncio.get_running_loop().time()

    @asynccontextmanager
    async def patience(self) -> AsyncGenerator[None]:
        """Run the block.

        Raises:
            TimeoutError: when neither it ended nor anybody was served for `silent_for`.
        """
        loop = asyncio.get_running_loop()
        began = loop.time()
        async with asyncio.timeout(None) as limit:
            looks = list[asyncio.TimerHandle]()

            def look() -> None:
                due = max(began, self._served_at) + self._silent_for
                if loop.time() >= due:
                    limit.reschedule(loop.time())
                else:
                    looks.append(loop.call_at(due, look))

            looks.append(loop.call_at(began + self._silent_for, look))
            try:
                yield
            finally:
                looks[-1].cancel()
