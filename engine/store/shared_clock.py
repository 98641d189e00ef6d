"""The database's clock as a process keeps it: heard with every deed, carried on by what no clock can turn."""

import time
from datetime import datetime, timedelta
from typing import Final

from engine.clock import Clock, SystemClock

BEST_FOR: Final = 60.0  # seconds, after which a slower answer is believed too
_WAITS: Final = SystemClock()


class SharedClock:
    """Tells, within the time of one answer, what the database would: machines differ, and it judges.

    Until it has heard anything it tells what the machine says. A machine whose clock is wrong, or is
    set while it works, changes nothing.
    """

    def __init__(self, machine: Clock | None = None) -> None:
        self._machine = machine or SystemClock()
        self._moment: datetime | None = None
        self._heard_at = self._took = 0.0

    def now(self) -> datetime:
        if self._moment is None:
            return self._machine.now()
        return self._moment + timedelta(seconds=time.monotonic() - self._heard_at)

    async def sleep_until(self, moment: datetime) -> None:
        await self.sleep(moment - self.now())

    async def sleep(self, duration: timedelta) -> None:
        await _WAITS.sleep(duration)

    def hear(self, moment: datetime, *, asked_at: float) -> None:
        """Note that the database said `moment`, asked at `asked_at` of the monotonic clock.

        A slow answer says less: it is passed over while a quicker one is fresh, unless it cannot be
        true that both are, for the database's clock was set.
        """
        heard_at = time.monotonic()
        took = heard_at - asked_at
        if self._moment is not None and took > self._took and heard_at - self._heard_at < BEST_FOR:
            apart = abs((self.now() - moment).total_seconds())
            if apart <= took + self._took:
                return
        self._moment, self._heard_at, self._took = moment, asked_at + took / 2, took

    def skew(self) -> timedelta:
        """By how much the machine's clock is ahead of the database's."""
        return self._machine.now() - self.now()
