"""The only place where time comes from: a clock that is handed to every long-lived object."""

import asyncio
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Protocol


class Clock(Protocol):
    """Now, and waiting; tests move it by hand."""

    def now(self) -> datetime:
        """The current moment, aware and in UTC."""
        ...

    async def sleep_until(self, moment: datetime) -> None:
        """Return once `now()` is at or after `moment`; at once when it already is."""
        ...

    async def sleep(self, duration: timedelta) -> None:
        """Return once `duration` has passed."""
        ...


class SystemClock:
    """The machine's clock. Waiting follows the monotonic clock, so a jump backwards cannot hang it."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep_until(self, moment: datetime) -> None:
        await asyncio.sleep(max(0.0, (moment - self.now()).total_seconds()))

    async def sleep(self, duration: timedelta) -> None:
        await asyncio.sleep(max(0.0, duration.total_seconds()))


@lru_cache(maxsize=256)  # a deed writes its one moment into every line and message
def iso(moment: datetime) -> str:
    """`moment` as RFC 3339 in UTC with microseconds and Z, the one spelling used on the wire."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def iso_of(stored: datetime | int) -> str:
    """`iso` of a moment as a database has it, which may be in the form of `micros`.

    One that no clock has, as only a hand can have stored it, is spelled as it stands there.
    """
    if isinstance(stored, datetime):
        return iso(stored)
    try:
        return f"{_second(stored // 1_000_000)}.{stored % 1_000_000:06d}Z"
    except (OverflowError, TypeError, ValueError):
        return str(stored)


@lru_cache(maxsize=1024)
def _second(seconds: int) -> str:
    # What is read in a row was written in a row: most of it within a few seconds.
    return (_EPOCH + timedelta(seconds=seconds)).isoformat()[:19]


def from_iso(text: str) -> datetime:
    """The moment that `iso` wrote."""
    return datetime.fromisoformat(text).astimezone(UTC)


def micros(moment: datetime) -> int:
    """Whole microseconds since 1970, the form in which SQLite keeps moments."""
    return (moment - _EPOCH) // _MICROSECOND


def from_micros(value: int) -> datetime:
    """The moment that `micros` wrote."""
    return _EPOCH + timedelta(microseconds=value)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
