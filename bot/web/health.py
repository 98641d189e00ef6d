"""Whether the channels work, asked of them now and then, however often we are asked."""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

import structlog

from channels.base import Channel
from engine.clock import Clock

FRESH_FOR: Final = timedelta(minutes=1)
WITHIN: Final = timedelta(seconds=5)

_log = structlog.stdlib.get_logger("http")


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
