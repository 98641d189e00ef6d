"""Tell whoever watches that something happened: pages refresh, tests go on, nobody polls."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Final, TypeVar

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

T = TypeVar("T")

PATIENCE: Final = timedelta(seconds=10)


class Changes:
    """A counter that can be waited on; every change of a stand-in raises it by one."""

    def __init__(self) -> None:
        self._count = 0
        self._closed = False
        self._moved = asyncio.Event()

    @property
    def count(self) -> int:
        """How many changes there were."""
        return self._count

    def announce(self) -> None:
        """Something changed: wake everybody."""
        self._count += 1
        self._moved.set()
        self._moved = asyncio.Event()

    def close(self) -> None:
        """End every open stream, so that a server can stop at once."""
        self._closed = True
        self.announce()

    async def until(self, find: Callable[[], T | None], *, patience: timedelta = PATIENCE) -> T:
        """What `find` returns, as soon as it returns something.

        `patience` is the machine's time, whatever clock the stand-in lives by.

        Raises:
            TimeoutError: if nothing was found in time.
        """
        async with asyncio.timeout(patience.total_seconds()):
            while (found := find()) is None:
                await self._moved.wait()
        return found

    async def counts(self) -> AsyncIterator[int]:
        """The counter now, and again after each change, until closed."""
        seen = -1
        while not self._closed:
            if seen == self._count:
                await self._moved.wait()
            else:
                seen = self._count
                yield seen

    async def stream(self, _request: Request) -> Response:
        """The counter as server-sent events; the pages' script refreshes at each."""

        async def lines() -> AsyncIterator[str]:
            async for count in self.counts():
                yield f"data: {count}\n\n"

        return StreamingResponse(
            lines(), media_type="text/event-stream", headers={"Cache-Control": "no-store"}
        )
