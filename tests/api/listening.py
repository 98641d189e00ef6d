"""Somebody who listens to a stream over a real port, and what they heard."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

HEARD_WITHIN_S = 60


@dataclass(frozen=True, kw_only=True)
class Heard:
    """One event: `message`, unless it has a name."""

    name: str
    id: str | None
    data: dict[str, Any]

    @property
    def type(self) -> str:
        return str(self.data["type"])


@dataclass
class Stream:
    """An open stream."""

    response: httpx.Response
    last_id: str | None = None
    _lines: AsyncIterator[str] = field(init=False)

    def __post_init__(self) -> None:
        self._lines = self.response.aiter_lines()

    async def next(self) -> Heard:
        """The next event; fails when none comes."""
        async with asyncio.timeout(HEARD_WITHIN_S):
            while True:
                found = await self._one()
                if found is not None:
                    return found

    async def until(self, kind: str, *, approval: str | None = None) -> list[Heard]:
        """Everything up to the first event of this type."""
        heard = [await self.next()]
        while heard[-1].type != kind or approval not in {None, heard[-1].data["data"]["approval"]}:
            heard.append(await self.next())
        return heard

    async def ended(self) -> list[Heard]:
        """What still came before the other side ended it."""
        heard: list[Heard] = []
        try:
            while True:
                heard.append(await self.next())
        except StopAsyncIteration:
            return heard

    async def _one(self) -> Heard | None:
        said: dict[str, str] = {}
        while line := await anext(self._lines):
            name, _, value = line.partition(": ")
            said[name] = value
        if "data" not in said:
            return None
        self.last_id = said.get("id", self.last_id)
        return Heard(
            name=said.get("event", "message"), id=said.get("id"), data=json.loads(said["data"])
        )


@asynccontextmanager
async def listening(
    url: str, token: str, *, last: str | None = None, **query: str
) -> AsyncGenerator[Stream]:
    """A stream of whoever has `token`, cut when the block ends."""
    headers = {"authorization": f"Bearer {token}"}
    # Reading the certificates that plain http needs not takes longer than all the rest.
    plain = httpx.AsyncHTTPTransport(verify=False)
    if last is not None:
        headers["last-event-id"] = last
    async with (
        httpx.AsyncClient(base_url=url, transport=plain, timeout=HEARD_WITHIN_S) as client,
        client.stream("GET", "/api/events", headers=headers, params=query) as response,
    ):
        assert response.status_code == 200, await response.aread()
        yield Stream(response)
