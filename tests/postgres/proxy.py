"""A wire to PostgreSQL that can be cut, silenced, reset and slowed: what lies between it and Signoff."""

import asyncio
import socket
import struct
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final

from engine.clock import SystemClock
from tests.postgres.server import USER

PIECE: Final = timedelta(milliseconds=1)
RESET: Final = struct.pack("ii", 1, 0)  # closed with a reset, and what was not sent yet is lost
PORT: Final = 5432


@dataclass
class Proxy:
    """Everything goes through as it is, until a test says otherwise."""

    folder: Path  # of the server's socket
    port: int = 0
    cuts_left: int = 0  # replies to a commit that are to be lost, with their connections
    cuts: int = 0
    piece: int = 0  # so many bytes at once, each a moment later; 0 is all at once
    is_refusing: bool = False
    passing: asyncio.Event = field(default_factory=asyncio.Event)
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)

    def url(self, database: str) -> str:
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{database}"

    @property
    def connections(self) -> int:
        """How many are open."""
        return len(self._writers) // 2

    def silence(self) -> None:
        """From now on nothing comes through, and nobody is told."""
        self.passing.clear()

    def heal(self) -> None:
        """Everything comes through again, what was held back too."""
        self.passing.set()

    def reset(self) -> None:
        """End every connection from both sides at once."""
        for writer in list(self._writers):
            _reset(writer)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, to its end."""
        if self.is_refusing:
            _reset(writer)
            return
        path = self.folder / f".s.PGSQL.{PORT}"
        try:
            from_server, to_server = await asyncio.open_unix_connection(path)
        except OSError:
            _reset(writer)
            return
        both = {writer, to_server}
        self._writers |= both
        wire = _Wire()
        with suppress(OSError):
            await asyncio.gather(
                self._ask(wire, reader, to_server), self._answer(wire, from_server, writer)
            )
        self._writers -= both
        for each in both:
            each.transport.abort()

    async def _ask(
        self, wire: "_Wire", reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while asked := await reader.read(1 << 16):
            await self.passing.wait()
            if self.cuts_left and b"COMMIT\0" in asked:
                self.cuts_left -= 1
                wire.is_cut = True
            await self._hand_on(asked, writer)
        writer.transport.abort()

    async def _answer(
        self, wire: "_Wire", reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while answered := await reader.read(1 << 16):
            await self.passing.wait()
            if wire.is_cut:  # it has been committed, and nobody will hear of it
                self.cuts += 1
                break
            await self._hand_on(answered, writer)
        writer.transport.abort()

    async def _hand_on(self, data: bytes, writer: asyncio.StreamWriter) -> None:
        size = self.piece or len(data)
        for start in range(0, len(data), size):
            writer.write(data[start : start + size])
            await writer.drain()
            if self.piece:
                await SystemClock().sleep(PIECE)


@dataclass
class _Wire:
    is_cut: bool = False


@asynccontextmanager
async def proxy(folder: Path) -> AsyncGenerator[Proxy]:
    """A wire to the server in `folder`, on a port of its own."""
    made = Proxy(folder=folder)
    made.heal()
    door = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = door.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        made.heal()
        door.close()
        made.reset()
        while made.connections:  # each ends by itself now
            await SystemClock().sleep(PIECE)
        await door.wait_closed()


def _reset(writer: asyncio.StreamWriter) -> None:
    plug = writer.get_extra_info("socket")
    if plug is not None and plug.family != socket.AF_UNIX:
        plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    writer.transport.abort()
