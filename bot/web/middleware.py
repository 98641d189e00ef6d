"""What happens to every request: its id and log line, its headers, its cap, and what nobody foresaw."""

import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Final

import structlog
from fastapi import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.application import Application
from bot.web import problems
from bot.web.places import place_of
from bot.web.traffic import Traffic

BODY_BYTES_MAX: Final = 1024 * 1024
REQUEST_ID: Final = "signoff.request_id"
POLL: Final = "/api/sign-ins/poll"

_SECRET_PATHS: Final = frozenset({"respond", "sign-in"})  # what follows in them opens something
_LENGTH: Final = re.compile(r"[0-9]{1,12}")
_log = structlog.stdlib.get_logger("http")

_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_HSTS: Final = "max-age=31536000; includeSubDomains"


class Logged:
    """Gives each request an id, and writes one line about its answer: no query, no token."""

    def __init__(self, app: ASGIApp, *, application: Application, traffic: Traffic) -> None:
        self._app, self._application, self._traffic = app, application, traffic

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        request_id = scope[REQUEST_ID] = self._application.ids.new("req")
        told = request_id.encode()
        began = self._application.clock.now()
        status = 0

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", told)]
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            seconds = (self._application.clock.now() - began).total_seconds()
            self._note(scope, status, seconds)
        return None

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "unmatched")
        self._traffic.note(method=scope["method"], route=route, status=status, seconds=seconds)
        if status == HTTPStatus.ACCEPTED and scope["path"] == POLL:
            return  # every second until somebody opens the link, which is told between these lines
        _log.info(
            "http.answered",
            request=scope[REQUEST_ID],
            method=scope["method"],
            path=shown_path(scope["path"]),
            status=status,
            ms=round(seconds * 1000),
            place=place_of(HTTPConnection(scope), self._application.trusted_proxies),
        )


class Headed:
    """Adds the headers that keep an answer from being framed, sniffed, kept or leaked."""

    def __init__(self, app: ASGIApp, *, is_secure: bool) -> None:
        self._app = app
        headers = {**_HEADERS, **({"Strict-Transport-Security": _HSTS} if is_secure else {})}
        self._headers = _spelled({**headers, "Cache-Control": "no-store"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)

        async def headed(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = list(message.get("headers", ()))
                said = {name for name, _value in own}
                message["headers"] = own + [each for each in self._headers if each[0] not in said]
            await send(message)

        return await self._app(scope, receive, headed)


class Capped:
    """Refuses bodies of more than 1 MiB: at once where the length is said, else when it is passed."""

    def __init__(self, app: ASGIApp, *, body_bytes_max: int = BODY_BYTES_MAX) -> None:
        self._app, self._max = app, body_bytes_max

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        said = _first(scope["headers"], b"content-length", "0")
        if not _LENGTH.fullmatch(said) or int(said) > self._max:
            refusal = problems.of_http(HTTPException(413))
            return await _answered(scope, refusal)(scope, receive, send)
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self._max:
                raise HTTPException(413)
            return message

        return await self._app(scope, counted, send)


class Caught:
    """Answers what nobody foresaw with an id; what happened is in the log, and nowhere else."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        has_begun = False

        async def watched(message: Message) -> None:
            nonlocal has_begun
            has_begun = has_begun or message["type"] == "http.response.start"
            await send(message)

        try:
            return await self._app(scope, receive, watched)
        except Exception:  # border: whatever a route lets through must not reach the client
            _log.exception("http.failed", request=scope[REQUEST_ID])
            if has_begun:
                raise
        problem = problems.of_nobody_knows(scope[REQUEST_ID])
        return await _answered(scope, problem)(scope, receive, send)


def shown_path(path: str) -> str:
    """The path as it may be logged."""
    first, _, rest = path.removeprefix("/").partition("/")
    return f"/{first}/…" if rest and first in _SECRET_PATHS else path


def _spelled(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """As ASGI passes them on: names in lower case."""
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]


def _first(headers: Iterable[tuple[bytes, bytes]], wanted: bytes, otherwise: str) -> str:
    return next((value.decode("latin-1") for name, value in headers if name == wanted), otherwise)


def _answered(scope: Scope, problem: problems.Problem) -> Response:
    return problems.answer(HTTPConnection(scope), problem)
