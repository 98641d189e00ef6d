"""The line from Slack to the app: sign, send, wait three seconds, and say what people see."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from urllib.parse import urlencode

from bot.demo.outgoing import Reply, Sent, deliver, within
from bot.demo.slack import limits
from bot.demo.slack.signing import FORM, JSON, Forger, interaction, signed
from bot.demo.slack.socket_mode import Kind, SocketMode
from bot.demo.trees import Record, is_record, minified, parsed
from engine.clock import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What the app answered. `error` is what Slack would show the person; None when all is well."""

    sent: Sent
    status: int
    body: bytes
    error: str | None
    took: timedelta

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode(errors="replace")

    @property
    def json(self) -> Record:
        """The body as an object; empty when it is not one."""
        try:
            value = parsed(self.body)
        except (json.JSONDecodeError, UnicodeDecodeError):
            return {}
        return value if is_record(value) else {}


class Line:
    """Sends to the app's request URL and keeps all that was sent.

    While the app holds a connection of `socket`, everything goes there instead.
    """

    def __init__(self, secret: str, *, clock: Clock) -> None:
        self.url = ""
        self.sent: list[Sent] = []
        self.socket: SocketMode | None = None
        self.ack_within = limits.ACK_WITHIN
        self.forger = Forger(secret)
        self._secret = secret
        self._clock = clock

    async def interaction(self, payload: Record) -> Heard:
        """Send what somebody pressed, submitted or closed."""
        return await self._over(Kind.INTERACTIVE, payload, interaction(payload), FORM)

    async def command(self, form: dict[str, str]) -> Heard:
        """Send a slash command."""
        return await self._over(Kind.COMMANDS, {**form}, urlencode(form).encode(), FORM)

    async def event(self, envelope: Record) -> Heard:
        """Send an event."""
        return await self._over(Kind.EVENTS, envelope, minified(envelope).encode(), JSON)

    async def send(self, sent: Sent) -> Heard:
        """Send a request as it is: a repeat, or one that was spoiled.

        Nothing waits longer than `ack_within`; a later answer is never seen.
        """
        self.sent.append(sent)
        return await self._timed(sent, partial(deliver, sent))

    async def _over(self, kind: Kind, payload: Record, body: bytes, content_type: str) -> Heard:
        if self.socket is None or not self.socket.connected:
            return await self.send(self._signed(body, content_type))
        # Nothing is signed in Socket Mode: the connection itself is the proof.
        sent = Sent(url="socket", body=body, headers={"Content-Type": content_type})
        return await self._timed(sent, partial(self.socket.send, kind, payload))

    async def _timed(self, sent: Sent, work: Callable[[], Awaitable[Reply]]) -> Heard:
        started = self._clock.now()
        reply = await within(self._clock, self.ack_within, work)
        took = self._clock.now() - started
        if reply is None:
            return Heard(sent=sent, status=0, body=b"", error="operation_timeout", took=took)
        return Heard(
            sent=sent, status=reply.status, body=reply.body, error=_error(reply), took=took
        )

    def _signed(self, body: bytes, content_type: str) -> Sent:
        return signed(
            self.url, body, content_type=content_type, secret=self._secret, at=self._clock.now()
        )


def _error(reply: Reply) -> str | None:
    if reply.status == 0:
        return "dispatch_failed"
    if 300 <= reply.status < 400:
        return "http_redirect_error"
    if 400 <= reply.status < 500:
        return "http_client_error"
    if reply.status >= 500:
        return "http_service_error"
    return None if reply.status == 200 else "dispatch_unknown_error"
