"""The whole product under measurement: `signoff serve` as a process of its own, and people who are signed in."""

from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from bot.bench.place import Place
from bot.demo.server import Server
from bot.demo.serving import bound
from bot.wiring import running
from engine.errors import NotFound
from engine.ids import DEFAULT_TENANT
from engine.services import sign_ins
from engine.store.database import Transaction
from engine.store.measuring import mark

HOST: Final = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """A server that may be killed and started again."""

    server: Server
    url: str

    @property
    def pid(self) -> int | None:
        """The number of its process."""
        return self.server.pid


def prepared(place: Place, more: Mapping[str, str] | None = None) -> Process:
    """A server of `place` that is not started yet."""
    with bound(HOST, 0) as probe:
        port: int = probe.getsockname()[1]
    server = Server(place.folder, {**place.environment(port), **(more or {})})
    return Process(server=server, url=f"http://{HOST}:{port}")


@asynccontextmanager
async def serving(place: Place, more: Mapping[str, str] | None = None) -> AsyncGenerator[Process]:
    """A server of `place` that answers, until the block ends."""
    process = prepared(place, more)
    try:
        await process.server.start()
        yield process
    finally:
        await process.server.kill()  # what it still has to do is nobody's any more


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """Who is signed in: `terminals` by person, and one browser."""

    terminals: Mapping[str, str] = field(repr=False)
    browser: str = field(repr=False)


async def sign_in(place: Place, people: Iterable[str] = ("bench",)) -> Tokens:
    """Sessions for `people`, made while no server runs."""
    everybody = list(people)
    async with running(place.settings, authored={}) as it:
        database = it.application.database
        await database.write(mark)
        return await database.write(lambda tx: _signed_in(tx, everybody))


def _signed_in(tx: Transaction, people: Iterable[str]) -> Tokens:
    everybody = list(people)
    terminals = {person: _terminal(tx, person) for person in everybody}
    asked = sign_ins.ask_link(tx, DEFAULT_TENANT, f"{everybody[0]}@example.com")
    session = None if asked is None else sign_ins.confirm(tx, asked.token)
    if session is None:
        raise NotFound(f"{everybody[0]} cannot sign in.")
    return Tokens(terminals=terminals, browser=session.token)


def _terminal(tx: Transaction, person: str) -> str:
    terminal = sign_ins.begin_terminal(tx, person, homes=[DEFAULT_TENANT])
    if terminal.link is not None:
        sign_ins.confirm(tx, terminal.link.token)
    session = sign_ins.poll_terminal(tx, terminal.device_secret)
    if session is None:
        raise NotFound(f"{person} cannot sign in.")
    return session.token
