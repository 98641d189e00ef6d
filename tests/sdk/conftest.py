"""One server for all of these tests, on a port of its own; a fresh desk for each."""

import socket
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import timedelta

import httpx
import pytest
import uvicorn
from typing_extensions import override

from signoff import Client
from tests.sdk.desk import KEY, Desk, Door


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where the server is, and who sits there."""

    url: str
    door: Door


class LosesAnswers(httpx.AsyncHTTPTransport):
    """A network that delivers every request, and loses the first answers."""

    def __init__(self, losing: int) -> None:
        super().__init__()
        self.losing = losing

    @override
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await super().handle_async_request(request)
        if self.losing == 0:
            return response
        self.losing -= 1
        await response.aclose()
        raise httpx.ReadError("connection reset", request=request)


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    door = Door()
    config = uvicorn.Config(door, lifespan="off", ws="none", log_level="critical")
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        running = threading.Thread(target=server.run, args=([listening],))
        running.start()
        try:
            yield Site(url=f"http://127.0.0.1:{listening.getsockname()[1]}", door=door)
        finally:
            server.should_exit = True
            running.join()


@pytest.fixture
def desk(site: Site) -> Desk:
    site.door.desk = Desk()
    return site.door.desk


@pytest.fixture
async def client(site: Site, desk: Desk) -> AsyncIterator[Client]:
    async with Client(site.url, KEY, retry_every=timedelta(0)) as client:
        yield client


@pytest.fixture
def env(site: Site, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGNOFF_URL", site.url)
    monkeypatch.setenv("SIGNOFF_API_KEY", KEY)


@pytest.fixture
def no_env(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SIGNOFF_URL", raising=False)
    monkeypatch.delenv("SIGNOFF_API_KEY", raising=False)
