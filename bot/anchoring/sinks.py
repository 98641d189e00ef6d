"""Where anchors are kept outside the database: a file, a syslog server, a webhook."""

import asyncio
import os
import socket
from dataclasses import dataclass
from datetime import timedelta
from errno import EIO
from http import HTTPStatus
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import urlsplit

from bot.anchoring.settings import SYSLOG_PORTS
from channels.webhook.config import WebhookTarget
from channels.webhook.signature import signed
from engine.clock import Clock, iso
from engine.digest import canonical
from engine.failpoints import Boundary
from engine.http import Egress, broken
from engine.store.anchors import Anchor

WITHIN: Final = timedelta(seconds=10)
AUDIT_NOTICE: Final = 13 * 8 + 5  # RFC 5424: the facility "log audit", the severity "notice"


def _broken() -> Exception:
    return OSError(EIO, "Input/output error")


FILE: Final = Boundary("anchor.file", breaks=_broken)
SYSLOG: Final = Boundary("anchor.syslog", breaks=_broken)
WEBHOOK: Final = Boundary("anchor.webhook", breaks=broken)


class NotKept(Exception):
    """An anchor could not be kept somewhere; it is tried again."""


class Sink(Protocol):
    """One place. The same anchor may come twice; what `keep` has returned from is there."""

    async def keep(self, anchor: Anchor) -> None:
        """Keep it.

        Raises:
            NotKept, OSError, EngineError: if it may not be there.
        """
        ...


@dataclass(frozen=True, slots=True)
class FileSink:
    """Adds a line to a file, and waits until the disk has it."""

    path: Path

    async def keep(self, anchor: Anchor) -> None:
        await FILE.through(asyncio.to_thread(self._add, anchor.line()))

    def _add(self, line: str) -> None:
        is_new = not self.path.exists()
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, f"{line}\n".encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if is_new:
            folder = os.open(self.path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)


@dataclass(frozen=True, slots=True)
class SyslogSink:
    """Tells a syslog server (RFC 5424). Over udp nobody answers: what is lost there nobody hears of."""

    url: str

    async def keep(self, anchor: Anchor) -> None:
        await SYSLOG.through(asyncio.to_thread(self._send, self._message(anchor)))

    def _message(self, anchor: Anchor) -> bytes:
        host = socket.gethostname() or "-"
        return (
            f"<{AUDIT_NOTICE}>1 {iso(anchor.at)} {host} signoff - anchor - {anchor.line()}".encode()
        )

    def _send(self, message: bytes) -> None:
        parts = urlsplit(self.url)
        address = (parts.hostname or "", parts.port or SYSLOG_PORTS[parts.scheme])
        within = WITHIN.total_seconds()
        if parts.scheme == "tcp":
            with socket.create_connection(address, timeout=within) as line:
                line.sendall(b"%d %b" % (len(message), message))
            return
        family, kind, protocol, _name, found = socket.getaddrinfo(*address, type=socket.SOCK_DGRAM)[
            0
        ]
        with socket.socket(family, kind, protocol) as line:
            line.settimeout(within)
            line.sendto(message, found)


@dataclass(frozen=True, slots=True)
class WebhookSink:
    """Posts a signed event `audit.anchored`, as other events are posted."""

    target: WebhookTarget
    egress: Egress
    clock: Clock

    async def keep(self, anchor: Anchor) -> None:
        stated = anchor.statement
        body = canonical(
            {
                "type": "audit.anchored",
                "timestamp": iso(anchor.at),
                "data": {"statement": stated, "signature": anchor.signature},
            }
        )
        id = f"anc_{stated.get('tenant')}_{anchor.number}"
        headers = {
            "Content-Type": "application/json",
            **signed(body, id=id, at=self.clock.now(), secrets=self.target.secrets),
        }
        request = self.egress.request(
            "POST", self.target.url, headers=headers, content=body, timeout=WITHIN
        )
        answer = await WEBHOOK.through(request)
        if not HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
            raise NotKept(f"{self.target.name} answered {answer.status}.")
