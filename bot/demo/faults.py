"""What can go wrong on the wire, as values that tests queue and the stand-ins play."""

import gzip
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeAlias, assert_never

import anyio
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from bot.demo.serving import hang_up
from engine.clock import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """Answer with this status, and do nothing else."""

    code: int
    retry_after: int | None = None
    location: str | None = None
    body: str = ""
    media_type: str = "text/html"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse:
    """Answer 200 with Slack's `{"ok": false, "error": …}`."""

    error: str
    also: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """Hang up without an answer; `done` says whether the request was carried out before."""

    done: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay:
    """Answer as usual, but only after `by` of the injected clock."""

    by: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Answer as usual, but only once `released` is set; `reached` is set when a request waits."""

    released: anyio.Event = field(default_factory=anyio.Event)
    reached: anyio.Event = field(default_factory=anyio.Event)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flood:
    """Carry the request out, then answer 200 with a body of this many bytes."""

    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Bomb:
    """Carry the request out, then answer with gzip that unpacks to this many bytes."""

    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Trickle:
    """Carry the request out, then answer one byte at every `every` of the clock, without end."""

    every: timedelta


Fault: TypeAlias = Status | Refuse | Drop | Delay | Hold | Flood | Bomb | Trickle


class Faults:
    """Queues of faults by what they are for; each fault is played once, in order."""

    def __init__(self) -> None:
        self._queues: defaultdict[str, deque[Fault]] = defaultdict(deque)

    def add(self, target: str, fault: Fault, *, times: int = 1) -> None:
        """Play `fault` for the next `times` requests to `target` that have none queued before."""
        self._queues[target].extend([fault] * times)

    def take(self, target: str) -> Fault | None:
        """The fault that the request at hand meets, if any."""
        queue = self._queues[target]
        return queue.popleft() if queue else None

    def clear(self) -> None:
        """Forget every fault that was not played."""
        self._queues.clear()

    @property
    def waiting(self) -> int:
        """How many faults were not played yet."""
        return sum(len(queue) for queue in self._queues.values())


async def play(
    fault: Fault | None,
    request: Request,
    proceed: Callable[[], Awaitable[Response]],
    *,
    clock: Clock,
) -> Response:
    """Answer `request` by `proceed`, but as `fault` would have it."""
    match fault:
        case None:
            return await proceed()
        case Status():
            return _status(fault)
        case Refuse():
            return JSONResponse({"ok": False, "error": fault.error, **dict(fault.also)})
        case Drop():
            if fault.done:
                await proceed()
            return await hang_up(request)
        case Delay():
            await clock.sleep(fault.by)
            return await proceed()
        case Hold():
            fault.reached.set()
            await fault.released.wait()
            return await proceed()
        case Flood() | Bomb() | Trickle():
            await proceed()
            return _endless(fault, clock)
        case _:
            assert_never(fault)


def _status(fault: Status) -> Response:
    headers: dict[str, str] = {}
    if fault.retry_after is not None:
        headers["Retry-After"] = str(fault.retry_after)
    if fault.location is not None:
        headers["Location"] = fault.location
    return Response(
        fault.body, status_code=fault.code, headers=headers, media_type=fault.media_type
    )


def _endless(fault: Flood | Bomb | Trickle, clock: Clock) -> Response:
    match fault:
        case Flood():
            return StreamingResponse(_flood(fault.size), media_type="application/json")
        case Bomb():
            packed = gzip.compress(bytes(fault.size), compresslevel=9)
            return Response(packed, headers={"Content-Encoding": "gzip"})
        case Trickle():
            return StreamingResponse(_trickle(fault.every, clock), media_type="text/plain")
        case _:
            assert_never(fault)


async def _flood(size: int) -> AsyncIterator[bytes]:
    piece = b"x" * 65_536
    for start in range(0, size, len(piece)):
        yield piece[: size - start]


async def _trickle(every: timedelta, clock: Clock) -> AsyncIterator[bytes]:
    while True:
        yield b"."
        await clock.sleep(every)
