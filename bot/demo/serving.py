"""Serve an ASGI application on a loopback port inside the running event loop."""

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final

import uvicorn
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp
from typing_extensions import override
from uvicorn.protocols.http.h11_impl import H11Protocol

from engine.clock import SystemClock

GRACE: Final = timedelta(seconds=1)
ROUNDS: Final = 4


class Droppable(H11Protocol):
    """HTTP/1.1 that lets the application hang up: `request.state.connection` is the transport."""

    @override
    def data_received(self, data: bytes) -> None:
        self.app_state = {**self.app_state, "connection": self.transport}
        super().data_received(data)


@asynccontextmanager
async def served(
    app: ASGIApp,
    *,
    port: int = 0,
    host: str = "127.0.0.1",
    grace: timedelta = GRACE,
    protocol: type[asyncio.Protocol] = Droppable,
) -> AsyncGenerator[str]:
    """Serve `app` and yield its base URL, such as `http://127.0.0.1:43117`.

    Port 0 takes a free one. The URL answers from the first moment on, and once the context is left
    nothing listens any more: requests under way get `grace`, then they are cancelled. Signals stay
    with whoever owns the process.

    Raises:
        OSError: if the port is taken.
    """
    listener = bound(host, port)
    config = uvicorn.Config(
        app, http=protocol, ws="none", log_config=None, lifespan="auto", server_header=False
    )
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    try:
        await server.startup(sockets=[listener])
        yield f"http://{host}:{listener.getsockname()[1]}"
    finally:
        await _shut(server, grace)
        listener.close()


def bound(host: str, port: int) -> socket.socket:
    """A listening-to-be socket; binding it here is what makes port 0 safe from races.

    Raises:
        OSError: if the port is taken.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    return listener


async def hang_up(request: Request) -> Response:
    """Cut the connection under `request`, so that its sender never learns what happened."""
    connection: asyncio.Transport = request.state.connection
    await request.body()
    connection.abort()
    while (await request.receive())["type"] != "http.disconnect":
        pass
    return Response()


async def _shut(server: uvicorn.Server, grace: timedelta) -> None:
    # uvicorn's own shutdown polls every tenth of a second; tests start and stop many servers.
    for listening in getattr(server, "servers", []):
        listening.close()
    for connection in list(server.server_state.connections):
        connection.shutdown()
    if running := set(server.server_state.tasks):
        _, late = await asyncio.wait(running, timeout=grace.total_seconds())
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=grace.total_seconds())
    await _hang_up_all(server)
    await server.lifespan.shutdown()


async def _hang_up_all(server: uvicorn.Server) -> None:
    # One that was accepted a moment ago comes to light in the next rounds of the loop, and one that is
    # hung up is closed in the round after: a socket that nobody closed would be found in the next test.
    for _ in range(ROUNDS):
        for connection in list(server.server_state.connections):
            transport: asyncio.Transport | None = getattr(connection, "transport", None)
            if transport is not None:
                transport.abort()
        await SystemClock().sleep(timedelta(0))
