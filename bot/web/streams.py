"""Every open stream of one process: how many there may be, what each is told, and how they end."""

import asyncio
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from bot.web.event_stream import HEARTBEAT, Listener, pause, written
from bot.web.feeds import KEPT, Behind, Feed, OfRun, OfTenant, Source
from bot.web.rates import TooManyStreams
from bot.web.waiting import WaitingRoom
from engine.clock import micros
from engine.errors import EngineError
from engine.ids import RunId, TenantId
from engine.services.watching import Place
from engine.store.database import Database
from engine.store.hints import Ear

POLL: Final = timedelta(seconds=5)  # the truth, in case a hint was lost
BACK_AFTER_S: Final = 3

_MISSED: Final = "What happened meanwhile may not have been told. Read again what you show."
_SLOW: Final = "More happened than you took. Come back with the last id."
_STOPPING: Final = "This process stops. Come back with the last id."
_UNKNOWN: Final = "You are not signed in any more."
_AWAY: Final = "The store does not answer. Come back with the last id."


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How many streams there may be, `each` of one caller's, and how many news of a tenant are `kept`.

    After `quiet` a stream shows that it lives, and whether its reader may still hear it is asked anew.
    """

    places: int = 1_000
    each: int = 50
    kept: int = KEPT
    quiet: timedelta = timedelta(seconds=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What one stream is of: a tenant's news, those of a `run`, or of an `approval` in it."""

    tenant: TenantId
    caller: str
    run: RunId | None = None
    approval: str | None = None
    last: Place | None = None
    is_unclear: bool = False  # an id was sent from which nothing can be resumed


class Streams:
    """Opens streams while there are places, and ends all of them when the process stops.

    A stream keeps nothing for its reader: it reads what it tells when its reader has taken what
    came before.
    """

    def __init__(self, database: Database, bounds: Bounds | None = None) -> None:
        self._database, self._bounds = database, bounds or Bounds()
        self._room = WaitingRoom(places=self._bounds.places, each=self._bounds.each)
        self._feeds: dict[TenantId, Feed] = {}
        self._ears: set[Ear] = set()
        self._is_closing = False

    @property
    def count(self) -> int:
        """How many are open."""
        return len(self._ears)

    def close(self) -> None:
        """End every stream with a word, those that are opened from now on too."""
        self._is_closing = True
        for ear in self._ears:
            ear.ring()

    def check(self, caller: str) -> None:
        """Return if another stream of `caller` may be opened.

        Raises:
            TooManyStreams: if there are too many.
        """
        with self._room.place(caller) as is_free:
            if not is_free:
                raise TooManyStreams

    async def tell(
        self, asked: Asked, listener: Listener, is_known: Callable[[], Awaitable[bool]]
    ) -> None:
        """Tell what is asked for until the listener is gone or not `is_known` any more, or the process stops."""
        with self._room.place(asked.caller) as is_free:
            if not is_free:
                await listener.write(_ended(str(TooManyStreams())))
                return
            with self._source(asked) as source, self._listening(source) as ear:
                listener.on_gone = ear.ring
                stream = _Stream(source, ear, listener, self._bounds.quiet)
                try:
                    await stream.begin(asked)
                    while not (self._is_closing or listener.is_gone) and await stream.go_on(
                        is_known
                    ):
                        pass
                    if self._is_closing:
                        await listener.write(_ended(_STOPPING))
                except Behind:
                    await listener.write(_ended(_SLOW))
                except EngineError:
                    await listener.write(_ended(_AWAY))

    @contextmanager
    def _source(self, asked: Asked) -> Generator[Source]:
        if asked.run is not None:
            database = self._database.of(asked.tenant)
            yield OfRun(database, asked.run, approval=asked.approval)
            return
        tenant = asked.tenant
        feed = self._feeds.setdefault(
            tenant, Feed(self._database.of(tenant), tenant, kept=self._bounds.kept)
        )
        feed.readers += 1
        try:
            yield OfTenant(feed)
        finally:
            feed.readers -= 1
            if not feed.readers:
                del self._feeds[tenant]

    @contextmanager
    def _listening(self, source: Source) -> Generator[Ear]:
        with self._database.hints.listen(source.topic) as ear:
            self._ears.add(ear)
            try:
                yield ear
            finally:
                self._ears.discard(ear)


class _Stream:
    """One stream on its way."""

    def __init__(self, source: Source, ear: Ear, listener: Listener, quiet: timedelta) -> None:
        self._source, self._ear, self._write = source, ear, listener.write
        self._quiet_s = quiet.total_seconds()
        self._checked_at = 0.0

    async def begin(self, asked: Asked) -> None:
        place, missed = await self._source.begin(asked.last)
        await self._write(pause(BACK_AFTER_S))
        if missed or asked.is_unclear:
            said = {"type": "reset", "detail": _MISSED}
            await self._write(written(said, id=_id(place), name="reset"))
        elif asked.last is None:
            await self._write(written({"type": "ready"}, id=_id(place), name="ready"))
        else:
            await self._write(written({"type": "ready"}, name="ready"))
        self._checked_at = asyncio.get_running_loop().time()

    async def go_on(self, is_known: Callable[[], Awaitable[bool]]) -> bool:
        """Tell what is new, or wait for something; whether there is still somebody to tell."""
        if found := await self._source.fresh():
            await self._write("".join(written(news.to_json(), id=news.id) for news in found))
        else:
            await self._ear.wait(POLL)
        now = asyncio.get_running_loop().time()
        if now - self._checked_at < self._quiet_s:
            return True
        self._checked_at = now
        if not await is_known():
            await self._write(_ended(_UNKNOWN))
            return False
        await self._write(HEARTBEAT)
        return True


def _id(place: Place) -> str:
    begin = str(micros(place.at))
    return begin if place.run is None else f"{begin}.{place.run}.{place.position}"


def _ended(detail: str) -> str:
    return written({"type": "dropped", "detail": detail}, name="dropped")
