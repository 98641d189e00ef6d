"""The product's processes: started, killed, stopped and woken, each known by a name for every life."""

import asyncio
import json
import multiprocessing
import os
import shutil
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import Final

from bot.chaos.life import LOG, OUT, live
from engine.clock import Clock
from engine.errors import Fault

BEGINS_WITHIN: Final = timedelta(seconds=120)
ENDS_WITHIN: Final = timedelta(seconds=30)
LOOK: Final = timedelta(milliseconds=20)
AGAIN: Final = timedelta(seconds=1)  # as whatever supervises processes waits
TAIL: Final = 30


def nursery() -> ForkServerContext:
    """Where processes begin: everything is imported once, and each is a fork of that."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["bot.chaos.life"])
    return context


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What each process is told: `settings` by name, and where the `target` of its steps is."""

    settings: Mapping[str, str]
    url: str
    target: str
    configuration: str


@dataclass(slots=True, kw_only=True)
class Child:
    """One server or worker, over all of its lives."""

    name: str
    arguments: tuple[str, ...]
    folder: Path
    place: Place
    nursery: ForkServerContext
    clock: Clock
    lives: int = 0
    is_stopped: bool = False
    is_wanted: bool = False
    died: list[str] = field(default_factory=list[str])
    _process: ForkServerProcess | None = None

    @property
    def who(self) -> str:
        """The name of this life."""
        return f"{self.name}.{self.lives}"

    @property
    def is_alive(self) -> bool:
        """Whether its process is there, stopped or not."""
        return self._process is not None and self._process.is_alive()

    async def start(self) -> None:
        """Begin the next life, and return once it is at work; one that finds no database is begun again.

        Raises:
            Fault: if it does not come to that.
        """
        limit = self.clock.now() + BEGINS_WITHIN
        while not await self._begun(limit):
            if self.clock.now() > limit:
                raise Fault(f"{self.who} did not begin.\n{self.tail()}")
            await self.clock.sleep(AGAIN)

    async def _begun(self, limit: datetime) -> bool:
        self.lives += 1
        self._furnish()
        self._process = self.nursery.Process(target=live, args=(self.folder, self.arguments))
        self._process.start()
        while not (self.folder / OUT).read_text(encoding="utf-8").endswith("\n"):
            if not self._process.is_alive() or self.clock.now() > limit:
                return False
            await self.clock.sleep(LOOK)
        self.is_stopped, self.is_wanted = False, True
        return True

    async def kill(self) -> datetime:
        """End it without a word (-9); the moment at which it was."""
        at = self.clock.now()
        self.is_wanted = False
        self._signal(signal.SIGKILL)
        await self._ended()
        return at

    def stop(self) -> datetime:
        """Stop it where it is; it notices nothing."""
        self.is_stopped = True
        self._signal(signal.SIGSTOP)
        return self.clock.now()

    def wake(self) -> datetime:
        """Let it go on as if nothing had happened."""
        at = self.clock.now()
        self._signal(signal.SIGCONT)
        self.is_stopped = False
        return at

    async def end(self) -> None:
        """Ask it to finish, and see that it does."""
        self.is_wanted = False
        self._signal(signal.SIGCONT)
        self._signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(ENDS_WITHIN.total_seconds()):
                await self._ended()
        except TimeoutError:
            await self.kill()

    def has_died(self) -> bool:
        """Whether it ended although nobody ended it; that is remembered."""
        if self._process is None or not self.is_wanted or self._process.is_alive():
            return False
        self.died.append(f"{self.who} ended by itself ({self._process.exitcode}).\n{self.tail()}")
        self.is_wanted = False
        return True

    def said(self) -> str:
        """All that it logged, in all of its lives."""
        log = self.folder / LOG
        return log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""

    def tail(self) -> str:
        """The end of what it logged."""
        return "\n".join(self.said().splitlines()[-TAIL:])

    def _furnish(self) -> None:
        self.folder.mkdir(exist_ok=True)
        mark = "&" if "?" in self.place.url else "?"
        # A setting of the connection's own: whatever a connection writes can be told by it.
        settings = {
            **self.place.settings,
            "SIGNOFF_DATABASE_URL": f"{self.place.url}{mark}chaos.who={self.who}",
        }
        lines = [f"{name}='{value}'\n" for name, value in settings.items()]
        (self.folder / ".env").write_text("".join(lines), encoding="utf-8")
        (self.folder / ".env").chmod(0o600)
        (self.folder / "signoff.toml").write_text(self.place.configuration, encoding="utf-8")
        world = json.dumps({"target": self.place.target, "me": self.who})
        (self.folder / "world.json").write_text(world, encoding="utf-8")
        (self.folder / OUT).write_text("", encoding="utf-8")

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.pid is not None and self.is_alive:
            os.kill(self._process.pid, number)

    async def _ended(self) -> None:
        while self.is_alive:
            await self.clock.sleep(LOOK)


def forget(folder: Path) -> None:
    """Remove what processes left in `folder`."""
    shutil.rmtree(folder, ignore_errors=True)
