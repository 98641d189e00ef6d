"""Time by hand: a clock that moves only when a test says so."""

import asyncio
from datetime import UTC, datetime, timedelta

NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)


class ManualClock:
    """Stands still until `advance`; everybody whose moment has come is woken."""

    def __init__(self, now: datetime = NOON) -> None:
        self._now = now
        self._moved = asyncio.Condition()
        self.sleepers = 0

    def now(self) -> datetime:
        return self._now

    async def sleep_until(self, moment: datetime) -> None:
        self.sleepers += 1
        try:
            async with self._moved:
                await self._moved.wait_for(lambda: self._now >= moment)
        finally:
            self.sleepers -= 1

    async def sleep(self, duration: timedelta) -> None:
        await self.sleep_until(self._now + duration)

    async def advance(self, by: timedelta) -> None:
        async with self._moved:
            self._now += by
            self._moved.notify_all()
