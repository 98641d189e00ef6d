"""Socket Mode: the app connects to Slack, and what people do comes down that line instead."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum

from aiohttp import WSMsgType, web

from bot.demo.outgoing import Reply
from bot.demo.serving import bound
from bot.demo.slack.calls import Call, SlackRefuses
from bot.demo.slack.house import House
from bot.demo.trees import Record, is_record, minified, parsed, text
from engine.ids import Ids

CONNECTIONS_MOST = 10


class Kind(StrEnum):
    """What an envelope holds."""

    EVENTS = "events_api"
    INTERACTIVE = "interactive"
    COMMANDS = "slash_commands"


@dataclass(slots=True, kw_only=True)
class _Connection:
    socket: web.WebSocketResponse
    waiting: dict[str, asyncio.Future[Record]] = field(
        default_factory=dict[str, "asyncio.Future[Record]"]
    )

    def hear(self, message: Record) -> None:
        waiting = self.waiting.pop(text(message, "envelope_id"), None)
        if waiting is not None and not waiting.done():
            waiting.set_result(message)

    def close(self) -> None:
        for waiting in self.waiting.values():
            if not waiting.done():
                waiting.set_exception(ConnectionResetError())
        self.waiting.clear()


class SocketMode:
    """The other end of Socket Mode. An envelope goes down any one connection, never all.

    Whoever holds `house.app_token` asks `apps.connections.open` for an address that is good for
    one connection; ten may be open at once.
    """

    def __init__(self, house: House, *, ids: Ids) -> None:
        self._house = house
        self._ids = ids
        self._base = ""
        self._links: set[str] = set()
        self._connections: list[_Connection] = []
        self._turn = 0
        self.envelopes: list[Record] = []

    @property
    def connected(self) -> int:
        """How many connections the app holds."""
        return len(self._connections)

    @asynccontextmanager
    async def listening(self, *, host: str = "127.0.0.1") -> AsyncGenerator[None]:
        """Accept connections on a free port; all are closed at the end."""
        app = web.Application()
        app.router.add_get("/link", self._accept)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        listener = bound(host, 0)
        await web.SockSite(runner, listener).start()
        self._base = f"ws://{host}:{listener.getsockname()[1]}/link"
        try:
            yield
        finally:
            self._base = ""
            for connection in list(self._connections):
                await connection.socket.close()
            await runner.cleanup()

    async def open(self, call: Call) -> Record:
        """apps.connections.open: an address that is good for one connection.

        Raises:
            SlackRefuses: if Socket Mode is off here, or too many connections are open.
        """
        if not self._base:
            raise SlackRefuses("forbidden_method")
        if self.connected >= CONNECTIONS_MOST:
            raise SlackRefuses("too_many_websockets")
        link = self._ids.secret()
        self._links.add(link)
        return {"url": f"{self._base}?link={link}&app_id={self._house.app_id}"}

    async def send(self, kind: Kind, payload: Record) -> Reply:
        """Hand an envelope to the next connection and wait until the app acknowledges it.

        An acknowledgement is a reply with status 200 and its payload as body.
        """
        if not self._connections:
            return Reply(status=0, failure="NotConnected")
        self._turn += 1
        connection = self._connections[self._turn % len(self._connections)]
        envelope: Record = {
            "envelope_id": self._ids.new("env"),
            "type": kind.value,
            "payload": payload,
            "accepts_response_payload": kind is not Kind.EVENTS,
        }
        if kind is Kind.EVENTS:
            envelope |= {"retry_attempt": 0, "retry_reason": ""}
        return await self.resend(envelope, connection)

    async def resend(self, envelope: Record, connection: _Connection | None = None) -> Reply:
        """Send an envelope as it is; a repeat keeps its id."""
        connection = connection or self._connections[0]
        self.envelopes.append(envelope)
        answer: asyncio.Future[Record] = asyncio.get_running_loop().create_future()
        connection.waiting[text(envelope, "envelope_id")] = answer
        try:
            await connection.socket.send_str(minified(envelope))
            heard = await answer
        except ConnectionError as lost:
            return Reply(status=0, failure=type(lost).__name__)
        payload = heard.get("payload")
        body = minified(payload).encode() if payload else b""
        return Reply(status=200, body=body, content_type="application/json")

    async def disconnect(self, reason: str = "refresh_requested") -> None:
        """Tell every connection to come back, then close it, as Slack does every few hours."""
        for connection in list(self._connections):
            await connection.socket.send_str(minified({"type": "disconnect", "reason": reason}))
            await connection.socket.close()

    async def _accept(self, request: web.Request) -> web.StreamResponse:
        link = request.query.get("link", "")
        if link not in self._links:
            return web.Response(status=404)
        self._links.discard(link)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        connection = _Connection(socket=socket)
        self._connections.append(connection)
        try:
            await socket.send_str(minified(self._hello()))
            async for message in socket:
                if message.type is WSMsgType.TEXT and is_record(heard := _read(message.data)):
                    connection.hear(heard)
        finally:
            self._connections.remove(connection)
            connection.close()
        return socket

    def _hello(self) -> Record:
        return {
            "type": "hello",
            "num_connections": self.connected,
            "debug_info": {"host": "stand-in", "approximate_connection_time": 18_060},
            "connection_info": {"app_id": self._house.app_id},
        }


def _read(data: str) -> object:
    try:
        return parsed(data)
    except ValueError:
        return None
