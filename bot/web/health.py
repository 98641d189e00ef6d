"""Whether the store and the channels work, tried now and then, however often we are asked."""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

import structlog

from channels.base import Channel
from engine.clock import Clock
from engine.errors import EngineError
from engine.services import readiness
from engine.store.database import Database

FRESH_FOR: Final = timedelta(minutes=1)
PROVED_EVERY: Final = timedelta(seconds=1)
WITHIN: Final = timedelta(seconds=5)

_log = structlog.stdlib.get_logger("http")


class StoreHealth:
    """Whether the store takes writes. Why it does not is in the log, once."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._asking = asyncio.Lock()
        self._trouble: EngineError | None = None
        self._at = float("-inf")

    async def trouble(self) -> EngineError | None:
        """What the store said when it was last written to, at most a second ago; it has five to answer."""
        async with self._asking:
            loop = asyncio.get_running_loop()
            if loop.time() - self._at >= PROVED_EVERY.total_seconds():
                before, self._trouble = self._trouble, await self._prove()
                self._at = loop.time()
                _tell(before, self._trouble)
        return self._trouble

    async def _prove(self) -> EngineError | None:
        try:
            await self._database.write(readiness.prove, within=WITHIN)
        except EngineError as error:
            return error
        return None


def _tell(before: EngineError | None, now: EngineError | None) -> None:
    if now is not None and (before is None or before.code != now.code):
        _log.error("store.failing", code=now.code, reason=str(now))
    elif now is None and before is not None:
        _log.info("store.well", after=before.code)


class ChannelHealth:
    """What each channel last said of itself: `ok` or `failing`. Why is in the log."""

    def __init__(self, channels: Mapping[str, Channel], clock: Clock) -> None:
        self._channels, self._clock = channels, clock
        self._asking = asyncio.Lock()
        self._said: dict[str, str] = {}
        self._at: datetime | None = None

    async def said(self) -> Mapping[str, str]:
        """The answers, none older than a minute; a channel has five seconds to answer."""
        async with self._asking:
            now = self._clock.now()
            if self._at is None or now - self._at >= FRESH_FOR:
                async with asyncio.TaskGroup() as group:
                    for name, channel in self._channels.items():
                        group.create_task(self._ask(name, channel))
                self._at = now
        return dict(self._said)

    async def _ask(self, name: str, channel: Channel) -> None:
        try:
            async with asyncio.timeout(WITHIN.total_seconds()):
                await channel.check_health()
        except Exception as error:  # border: a channel's library may raise anything
            _log.warning("channel.failed", channel=name, error=str(error))
            self._said[name] = "failing"
        else:
            self._said[name] = "ok"
