"""Wake-ups between processes: one connection that tells the others what changed here, and hears them."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from datetime import timedelta
from typing import Any, Final

import structlog

from engine.clock import SystemClock
from engine.store.hints import Hints

log = structlog.get_logger("engine.store")

CHANNEL: Final = "signoff"
PAYLOAD_BYTES_MAX: Final = 7_900  # PostgreSQL refuses 8,000
TOLD_EVERY: Final = timedelta(milliseconds=10)
PROBED_EVERY: Final = timedelta(seconds=15)  # a connection that is dead says nothing by itself
RETRIED_AFTER: Final = timedelta(milliseconds=100)
RETRIED_AFTER_MAX: Final = timedelta(seconds=5)


class Bells:
    """Topics of many deeds are told together, after their commits: a notification inside a transaction
    makes all commits of the database wait in one line. One that is lost costs the wait for the next poll.
    """

    def __init__(self, connect: Callable[[], Awaitable[Any]], hints: Hints) -> None:
        self._connect, self._hints = connect, hints
        self._clock = SystemClock()
        self._untold: set[str] = set()
        self._awake = asyncio.Event()

    def tell(self, topics: Iterable[str]) -> None:
        """Ring here now, and elsewhere within some milliseconds."""
        fresh = set(topics)
        self._hints.fire(fresh)
        if fresh:
            self._untold |= fresh
            self._awake.set()

    async def run(self) -> None:
        """Listen and tell until cancelled; a connection that is lost is opened again, ever more slowly."""
        pause = RETRIED_AFTER
        while True:
            try:
                connection = await self._connect()
                pause = RETRIED_AFTER
                try:
                    await self._serve(connection)
                finally:
                    connection.terminate()
            except (
                Exception
            ) as error:  # border: the driver's; a hint that is lost costs a wait only
                log.warning("hints.away", reason=str(error) or type(error).__name__)
            await self._clock.sleep(pause)
            pause = min(pause * 2, RETRIED_AFTER_MAX)

    async def _serve(self, connection: Any) -> None:
        connection.add_termination_listener(self._lost)
        await connection.add_listener(CHANNEL, self._heard)
        self._hints.fire_all()  # nobody listened until now
        while not connection.is_closed():
            try:
                async with asyncio.timeout(PROBED_EVERY.total_seconds()):
                    await self._awake.wait()
            except TimeoutError:
                await connection.execute("SELECT 1")
            await self._clock.sleep(TOLD_EVERY)
            self._awake.clear()
            topics, self._untold = self._untold, set()
            for payload in payloads(topics):
                await connection.execute("SELECT pg_notify($1, $2)", CHANNEL, payload)

    def _lost(self, _connection: Any) -> None:
        self._awake.set()

    def _heard(self, connection: Any, sender: int, _channel: str, payload: str) -> None:
        # What was still on its way from a connection that has ended comes without its number.
        if not connection.is_closed() and sender != connection.get_server_pid():
            self._hints.fire(payload.split())


def payloads(topics: Iterable[str]) -> Iterator[str]:
    """`topics`, none of which has a space, in as few texts as PostgreSQL takes them."""
    line, length = list[str](), 0
    for topic in sorted(topics):
        size = len(topic.encode()) + 1
        if line and length + size > PAYLOAD_BYTES_MAX:
            yield " ".join(line)
            line, length = [], 0
        line.append(topic)
        length += size
    if line:
        yield " ".join(line)
