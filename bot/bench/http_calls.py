"""HTTP calls that cost the caller next to nothing, so that what is measured is the server's."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

_HEAD_MAX: Final = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back. `took` is the time from the first byte sent to the last one received, in seconds."""

    status: int
    body: bytes
    took: float

    @property
    def json(self) -> Any:
        """The body, read."""
        return json.loads(self.body)


class Connection:
    """One connection that is kept open; one call at a time."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str
    ) -> None:
        self._reader, self._writer, self._host = reader, writer, host

    def request(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> bytes:
        """The bytes of a call, to be sent later."""
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self._host}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        lines += [f"Content-Length: {len(body)}", "", ""]
        return "\r\n".join(lines).encode() + body

    async def send(self, request: bytes) -> Answer:
        """Send what `request` made, and wait for all of the answer.

        Raises:
            OSError, EOFError: if the connection broke.
        """
        began = time.perf_counter()
        self._writer.write(request)
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        fields = dict(line.lower().split(": ", 1) for line in head[1:] if ": " in line)
        if fields.get("transfer-encoding") == "chunked":
            body = await self._chunks()
        else:
            body = await self._reader.readexactly(int(fields.get("content-length", "0")))
        took = time.perf_counter() - began
        return Answer(status=int(head[0].split(" ", 2)[1]), body=body, took=took)

    async def get(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        """What `GET path` answers."""
        return await self.send(self.request("GET", path, headers=headers))

    async def post(self, path: str, value: object, headers: Mapping[str, str]) -> Answer:
        """What `POST path` answers to a value as JSON."""
        said = {**headers, "Content-Type": "application/json"}
        return await self.send(
            self.request("POST", path, headers=said, body=json.dumps(value).encode())
        )

    async def _chunks(self) -> bytes:
        body = b""
        while size := int((await self._reader.readuntil(b"\r\n")).strip(), 16):
            body += (await self._reader.readexactly(size + 2))[:-2]
        await self._reader.readexactly(2)
        return body


@asynccontextmanager
async def connected(url: str) -> AsyncGenerator[Connection]:
    """A connection to the server at `url`, until the block ends.

    Raises:
        OSError: if nobody listens there.
    """
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port, limit=_HEAD_MAX)
    try:
        yield Connection(reader, writer, parts.netloc)
    finally:
        writer.close()


def bearer(token: str) -> dict[str, str]:
    """The header of a session or a key."""
    return {"Authorization": f"Bearer {token}"}
