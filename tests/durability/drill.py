"""Two kinds of database that are backed up, lost and restored, and what must be true of them afterwards."""

import asyncio
import subprocess
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from typing_extensions import override

from bot.chaos.checker.book import Book
from bot.chaos.checker.pages import opened_book, shared_book
from bot.chaos.checker.violations import Evidence, violations
from bot.chaos.checker.world import Effect
from bot.restoring import Back, restore
from bot.settings import Settings
from engine.clock import SystemClock
from engine.ids import SystemIds
from engine.store.backups import back_up
from engine.store.database import Database
from engine.store.postgres import Surroundings, Width, opened_on
from engine.store.sqlite import opened
from engine.tokens import Tokens
from tests.durability import flows, notes
from tests.durability.notes import Notes
from tests.durability.scene import SECRET, Anywhere, Scene
from tests.postgres.server import USER, Server

KEY = SECRET.decode()


@dataclass
class Place(ABC):
    """Where a database is, and how those who look after it copy it and put the copy back."""

    folder: Path

    @abstractmethod
    def opened(self) -> AbstractAsyncContextManager[Database]:
        """As a server has it open."""

    @abstractmethod
    async def back_up(self) -> None:
        """Copy it while it is written to."""

    @abstractmethod
    async def restore(self) -> Back:
        """Lose it, put the copy in its place, and say so; nobody has it open."""

    @abstractmethod
    async def book(self) -> Book:
        """Every row of it."""

    @property
    def backup(self) -> Path:
        return self.folder / "backup"


@dataclass
class File(Place):
    """A SQLite file."""

    @property
    def path(self) -> Path:
        return self.folder / "signoff.db"

    @override
    def opened(self) -> AbstractAsyncContextManager[Database]:
        return opened(self.path, clock=SystemClock(), ids=SystemIds(), tokens=Tokens(SECRET))

    @override
    async def back_up(self) -> None:
        await asyncio.to_thread(back_up, self.path, self.backup, at=SystemClock().now())

    @override
    async def restore(self) -> Back:
        return await restore(
            Settings(database_url=f"sqlite:///{self.path}", secret_key=KEY), self.backup
        )

    @override
    async def book(self) -> Book:
        return opened_book(self.path)


@dataclass
class Shared(Place):
    """A database of a PostgreSQL, which brings its own tools."""

    server: Server
    name: str

    @property
    def url(self) -> str:
        return self.server.url(self.name)

    @override
    def opened(self) -> AbstractAsyncContextManager[Database]:
        around = Surroundings(ids=SystemIds(), tokens=Tokens(SECRET))
        return opened_on(self.url, around, width=Width(writers=6, readers=2))

    @override
    async def back_up(self) -> None:
        await self._tool("pg_dump", "--format=custom", f"--file={self.backup}", self.name)

    @override
    async def restore(self) -> Back:
        await asyncio.to_thread(self.server.ask, f"DROP DATABASE {self.name} WITH (FORCE)")
        await asyncio.to_thread(self.server.ask, f"CREATE DATABASE {self.name}")
        await self._tool("pg_restore", f"--dbname={self.name}", str(self.backup))
        return await restore(Settings(database_url=self.url, secret_key=KEY), None)

    @override
    async def book(self) -> Book:
        return await shared_book(self.url)

    async def _tool(self, tool: str, *words: str) -> None:
        where = ("-h", str(self.server.folder), "-U", USER)
        command = [str(self.server.programs / tool), *where, *words]
        done = await asyncio.to_thread(subprocess.run, command, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()


@asynccontextmanager
async def staged(place: Place, world: Notes) -> AsyncGenerator[Anywhere]:
    """The scene on what is at `place`, as a server that starts there has it."""
    async with place.opened() as database:
        scene = Scene(database, SystemClock(), world, place.folder)
        await scene.prepare()
        yield scene


def last_moment(book: Book) -> int:
    """When the last entry was written: what was done until then is in it, and nothing of later."""
    return max(int(entry["at"]) for entry in book["journal"] if entry["kind"] != "run.paused")


def unknown(book: Book, effects: list[Effect]) -> set[str]:
    """The runs of `book` that did something of which it does not know the end."""
    known = {
        (run, entry["path"], entry["kind"])
        for run, entries in book.journals.items()
        for entry in entries
    }
    ends = {
        effect: "compensation.finished" if effect.is_undo else "step.finished" for effect in effects
    }
    return {
        effect.place[0] for effect, end in ends.items() if (*effect.place, end) not in known
    } & book.runs.keys()


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """What the world had seen at one moment: how many lines of each kind."""

    effects: int
    acked: int
    shown: int


def ledger(folder: Path) -> Ledger:
    """How far the world's notes have come."""
    return Ledger(
        effects=len(notes.effects(folder)),
        acked=len(notes.acks(folder)),
        shown=len(notes.messages(folder)),
    )


def wrong(book: Book, folder: Path, *, until: Ledger, again: Ledger, cut: int) -> list[str]:
    """What does not hold of `book`, given all that was seen but in the time that was lost.

    `until` is how far the notes had come when the backup began, `again` when the restored one did.
    """
    effects, acked, shown = notes.effects(folder), notes.acks(folder), notes.messages(folder)
    before = [effect for effect in effects[: again.effects] if effect.at <= cut]
    arrived = {row["id"] for row in book.where("outbox", status="sent")}
    seen = Evidence(
        effects=[*before, *effects[again.effects :]],
        acked=[*acked[: until.acked], *acked[again.acked :]],
        shown=[each for each in shown[: again.shown] if each.key in arrived] + shown[again.shown :],
        kills=1,
        names=flows.STEPS,
        channel="email",
    )
    return violations(book, seen)


def twice(folder: Path, *, again: Ledger) -> list[str]:
    """What was done, or sent, both before the restore and after it."""
    effects, shown = notes.effects(folder), notes.messages(folder)
    done = Counter(effect.request for effect in effects[: again.effects])
    sent = {each.key for each in shown[: again.shown]}
    return [
        *(effect.request for effect in effects[again.effects :] if effect.request in done),
        *(each.key for each in shown[again.shown :] if each.key in sent),
    ]
