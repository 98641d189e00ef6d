"""Looks at the database a few times a second, over SQL of its own, so that nobody has to ask the doors."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from bot.chaos.checker.pages import connected
from engine.clock import Clock

LOOK: Final = timedelta(milliseconds=200)
APPROVALS: Final = (
    "SELECT id, run, status, version, digest FROM approvals "
    "WHERE status = 'open' OR ended_at > signoff_now() - interval '20 seconds'"
)
RUNS: Final = (
    "SELECT id, status, coalesce(reason, '') AS reason FROM runs "
    "WHERE updated_at > signoff_now() - interval '20 seconds'"
)
HELD: Final = (
    "SELECT c.who, count(*) AS number FROM runs r JOIN chaos_changes c ON c.token = r.lease_token "
    "GROUP BY c.who"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """An approval as it stood at the last look."""

    id: str
    run: str
    status: str
    version: int
    digest: str

    @property
    def is_open(self) -> bool:
        """Whether it could be decided then."""
        return self.status == "open"


class Watch:
    """What was seen last: approvals by run, the states of runs, and how many runs each process holds."""

    def __init__(self) -> None:
        self.approvals: dict[str, Seen] = {}
        self.runs: dict[str, str] = {}
        self.held: Mapping[str, int] = {}
        self.away = 0
        self._moved = asyncio.Event()

    def of(self, run: str) -> Seen | None:
        """The approval of `run`, as seen last."""
        return self.approvals.get(run)

    async def moved(self) -> None:
        """Return after the next look."""
        await self._moved.wait()

    async def look(self, connection: Any) -> None:
        """Look once."""
        for row in await connection.fetch(APPROVALS):
            self.approvals[row["run"]] = Seen(**dict(row))
        for row in await connection.fetch(RUNS):
            self.runs[row["id"]] = ":".join(part for part in (row["status"], row["reason"]) if part)
        self.held = {row["who"]: row["number"] for row in await connection.fetch(HELD)}
        self._moved.set()
        self._moved = asyncio.Event()

    async def run(self, url: str, clock: Clock) -> None:
        """Look until cancelled, whenever the database is there."""
        while True:
            try:
                async with connected(url) as connection:
                    while True:
                        await self.look(connection)
                        await clock.sleep(LOOK)
            except Exception:  # border: a database that is away is what chaos is about
                self.away += 1
                await clock.sleep(LOOK)


@asynccontextmanager
async def watching(url: str, clock: Clock) -> AsyncGenerator[Watch]:
    """Somebody who looks, until the block ends."""
    watch = Watch()
    async with asyncio.TaskGroup() as group:
        looking = group.create_task(watch.run(url, clock))
        try:
            yield watch
        finally:
            looking.cancel()
