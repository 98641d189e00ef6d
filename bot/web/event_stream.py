"""Server-sent events on the wire: how one is written, and an answer that goes on until either side ends it."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Final

import structlog
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from typing_extensions import override

WRITE_WITHIN: Final = timedelta(seconds=30)
HEARTBEAT: Final = ": still here\n\n"
MEDIA_TYPE: Final = "text/event-stream"

_log = structlog.stdlib.get_logger("http")


def written(data: Mapping[str, object], *, id: str | None = None, name: str | None = None) -> str:
    """One event. Without a `name` it is a message, which every reader gets without asking for it."""
    lines = [] if id is None else [f"id: {id}"]
    if name is not None:
        lines.append(f"event: {name}")
    said = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return "\n".join((*lines, f"data: {said}", "\n"))


def pause(seconds: int) -> str:
    """How long the reader waits before it comes back."""
    return f"retry: {seconds * 1000}\n\n"


class Listener:
    """Who reads at the other end: what is written to them, and whether they are still there."""

    def __init__(self, send: Send) -> None:
        self._send, self._gone = send, asyncio.Event()
        self.on_gone: Callable[[], None] = self._gone.set

    @property
    def is_gone(self) -> bool:
        """Whether they hung up; what is written to them then goes nowhere."""
        return self._gone.is_set()

    async def write(self, text: str) -> None:
        """Return once they, or the connection's own buffer, took it.

        Raises:
            TimeoutError: if they took nothing for half a minute.
        """
        async with asyncio.timeout(WRITE_WITHIN.total_seconds()):
            await self._send(
                {"type": "http.response.body", "body": text.encode(), "more_body": True}
            )

    async def watch(self, receive: Receive) -> None:
        """Return when they hang up."""
        while (await receive())["type"] != "http.disconnect":
            pass
        self._gone.set()
        self.on_gone()


class EventStream(Response):
    """An answer that `tell` writes, until it returns.

    It is told when the reader hangs up, and never cancelled for that: a question to the store is not
    cut off halfway. A reader that takes nothing for half a minute is: what was written meanwhile
    waits in the connection's own buffer, which is full then, and nowhere else.
    """

    media_type = MEDIA_TYPE

    def __init__(self, tell: Callable[[Listener], Awaitable[None]]) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._tell = tell

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        listener = Listener(send)
        begun = {"type": "http.response.start", "status": self.status_code}
        await send({**begun, "headers": self.raw_headers})
        async with asyncio.TaskGroup() as group:
            watching = group.create_task(listener.watch(receive))
            try:
                await self._tell(listener)
                await send({"type": "http.response.body", "body": b"", "more_body": False})
            except TimeoutError:
                _log.info("stream.cut", after_s=WRITE_WITHIN.total_seconds())
            finally:
                watching.cancel()
