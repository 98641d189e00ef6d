"""Where streams draw from: one tenant's news, read once for everybody, or the journal of one run."""

import asyncio
from collections import deque
from datetime import datetime, timedelta
from typing import Final, Protocol

from engine.clock import SystemClock
from engine.ids import RunId, TenantId
from engine.services import watching
from engine.services.watching import Place
from engine.store.database import Database
from engine.store.news import News

KEPT: Final = 2_000
RESUMED_WITHIN: Final = timedelta(hours=1)
LOOKS_APART_S: Final = 0.1
RESTS: Final = 4  # times as long as a look took, so that reading takes a fifth of a process at most


class Behind(Exception):
    """A reader was so slow that what it missed is not kept any more."""


class Source(Protocol):
    """News for one stream; `topic` is what rings when there may be more."""

    @property
    def topic(self) -> str: ...

    async def begin(self, last: Place | None) -> tuple[Place, bool]:
        """Begin behind `last`, or now: where that is, and whether something may have been missed."""
        ...

    async def fresh(self) -> list[News]:
        """What has not been given yet; empty when that is all.

        Raises:
            Behind: if some of it is not kept any more.
        """
        ...


class Feed:
    """The latest news of one tenant. However many ask at the same time, one look answers them all.

    The newest `kept` are kept for whoever is slower; a reader further behind has to come back.
    """

    def __init__(self, database: Database, tenant: TenantId, *, kept: int = KEPT) -> None:
        self.tenant, self.end, self.readers = tenant, 0, 0
        self._database, self._pauses = database, SystemClock()
        self._kept: deque[News] = deque(maxlen=kept)
        self._seen = frozenset[str]()
        self._newest: datetime | None = None
        self._looked_at: datetime | None = None
        self._looks, self._one, self._rests_until = 0, asyncio.Lock(), 0.0

    async def look(self) -> None:
        """Return once everything that was committed before this call is here."""
        before = self._looks
        async with self._one:
            if self._looks > before:
                return  # somebody's look began after this was asked, and saw all that this would
            loop = asyncio.get_running_loop()
            await self._pauses.sleep(timedelta(seconds=max(0.0, self._rests_until - loop.time())))
            self._looks += 1
            began = loop.time()
            self._take(await self.at(self._newest))
            took = loop.time() - began
            self._rests_until = loop.time() + max(LOOKS_APART_S, RESTS * took)

    async def looked_at(self) -> datetime:
        """The database's moment behind which everything is still to be found."""
        while self._looked_at is None:
            await self.look()
        return self._looked_at

    async def at(self, since: datetime | None) -> watching.Look:
        """A look at the tenant's news since then."""
        return await self._database.read(lambda tx: watching.look(tx, self.tenant, since=since))

    def since(self, place: int) -> list[News]:
        """What came after the first `place` news.

        Raises:
            Behind: if some of it is not kept any more.
        """
        missing = self.end - place
        if missing > len(self._kept):
            raise Behind
        return list(self._kept)[len(self._kept) - missing :]

    def _take(self, look: watching.Look) -> None:
        fresh = [news for news in look.found if news.id not in self._seen]
        if self._looked_at is None:
            fresh = []  # nobody reads yet
        elif self._is_torn(look):
            self._kept.clear()
            self.end += 1  # nothing is kept of it: everybody who reads is behind
            self._newest, fresh = None, []
        self._kept.extend(fresh)
        self.end += len(fresh)
        self._seen = frozenset(news.id for news in look.found)
        stamps = [news.at for news in look.found]
        self._newest = max((*stamps, self._newest or look.now - watching.SETTLED_AFTER))
        self._looked_at = look.now

    def _is_torn(self, look: watching.Look) -> bool:
        # More at once than one look takes, or a clock that was set back, behind which nothing is found.
        if self._newest is not None and not look.is_whole and look.found[0].at > self._newest:
            return True
        return self._looked_at is not None and look.now < self._looked_at - watching.SETTLED_AFTER


class OfTenant:
    """Everything that a tenant's runs and approvals tell, from a feed that others read too."""

    def __init__(self, feed: Feed) -> None:
        self.topic = f"news:{feed.tenant}"
        self._feed, self._place = feed, 0
        self._before: list[News] = []
        self._told = frozenset[str]()

    async def begin(self, last: Place | None) -> tuple[Place, bool]:
        looked_at = await self._feed.looked_at()
        self._place = self._feed.end
        if last is None:
            return Place(at=looked_at), False
        look = await self._feed.at(last.at)
        if not _reaches(look, last):
            return Place(at=looked_at), True
        self._before = [news for news in look.found if not _is_at(news, last)]
        self._told = frozenset(news.id for news in self._before)
        return Place(at=look.now), False

    async def fresh(self) -> list[News]:
        if self._before:
            found, self._before = self._before, []
            return found
        found = self._feed.since(self._place)
        if not found:
            await self._feed.look()
            found = self._feed.since(self._place)
        self._place += len(found)
        return [news for news in found if news.id not in self._told]


class OfRun:
    """What one run tells, or one of its approvals: by position, so each exactly once and in order."""

    def __init__(self, database: Database, run: RunId, *, approval: str | None = None) -> None:
        self.topic = f"run:{run}"
        self._database, self._run, self._approval = database, run, approval
        self._position = -1

    async def begin(self, last: Place | None) -> tuple[Place, bool]:
        end = await self._database.read(lambda tx: watching.end_of_run(tx, self._run))
        if last is None:
            self._position = end.position
            return end, False
        is_here = last.run == self._run and last.position <= end.position
        self._position = last.position if is_here else end.position
        return end, not is_here

    async def fresh(self) -> list[News]:
        while True:
            found = await self._database.read(
                lambda tx: watching.of_run(tx, self._run, after=self._position)
            )
            if not found:
                return []
            self._position = found[-1].position
            if told := [news for news in found if self._is_told(news)]:
                return told

    def _is_told(self, news: News) -> bool:
        if self._approval is None:
            return True
        return news.approval == self._approval and news.type.startswith("approval.")


def _reaches(look: watching.Look, last: Place) -> bool:
    ahead = last.at > look.now + watching.SETTLED_AFTER
    return look.is_whole and not ahead and last.at > look.now - RESUMED_WITHIN


def _is_at(news: News, last: Place) -> bool:
    return (news.run, news.position) == (last.run, last.position)
