"""Outgoing HTTP: `Egress` for addresses that others gave us, plain clients for our own."""

import asyncio
import re
import ssl
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from socket import SOCK_STREAM
from typing import Any, Final

import httpx

from engine.addresses import Address, Network, is_odd_number, is_public, literal, unwrapped
from engine.errors import EgressFailed
from engine.outgoing import EgressRefused, checked_headers

Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
AsgiApp = Callable[..., Coroutine[Any, Any, None]]

ALLOW_SETTING: Final = "SIGNOFF_WEBHOOK_ALLOW_NETS"
TOTAL: Final = timedelta(seconds=15)
CONNECT: Final = timedelta(seconds=5)
BODY_CAP: Final = 64 * 1024

_ADDRESSES_TRIED: Final = 4
_URL_CHARS_MAX: Final = 2048
_URL: Final = re.compile(r"[^\x00-\x20\x7f\\]+")
_USERINFO: Final = re.compile(r"[^/]*//[^/?#]*@")
_HOST: Final = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back. `cut` says the body was longer than the cap, or compressed unasked."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    cut: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Target:
    """An address that passed every rule, and the name it was reached by."""

    url: httpx.URL
    name: str
    addresses: tuple[Address, ...]


@dataclass(slots=True)
class _Progress:
    """How far a request got; from `sent` on, the other side may have received it."""

    sent: bool = False

    async def note(self, event: str, _info: Mapping[str, Any]) -> None:
        self.sent = self.sent or event.endswith("send_request_headers.started")


def broken() -> EgressFailed:
    """What `Egress` raises when the line breaks under a request that may have arrived."""
    return EgressFailed("The line broke.", ambiguous=True)


async def resolve(host: str, port: int) -> Sequence[str]:
    """Every address of `host`, in the order the system prefers."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


class Egress:
    """Calls addresses that others chose, and never the inside of our own network.

    A name is resolved once, every address it has is checked, and the checked address is the one
    that is connected to, so that a second answer of its name server changes nothing. Redirects
    are answers, not instructions. Proxies from the environment are ignored. Addresses within
    `allow_nets` may be called on any port and without TLS; all others need a port of `ports`,
    and TLS unless `allow_http`. Refusals name the `setting` that those networks come from.
    """

    def __init__(
        self,
        *,
        allow_nets: Sequence[Network] = (),
        setting: str = ALLOW_SETTING,
        allow_http: bool = False,
        ports: frozenset[int] = frozenset({443}),
        resolver: Resolver = resolve,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._allow_nets, self._setting = tuple(allow_nets), setting
        self._allow_http = allow_http
        self._ports = ports
        self._resolver = resolver
        self._tls = tls

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes = b"",
        timeout: timedelta = TOTAL,
        body_cap: int = BODY_CAP,
    ) -> Answer:
        """Send one request and return its answer, whatever its status.

        `timeout` covers everything from the name look-up to the last byte read. The body is cut
        at `body_cap` and never decompressed. Nothing is retried once bytes were sent; an address
        that does not accept a connection is passed over for the next of the same name.

        Raises:
            EgressRefused: if the method, a header, the URL or any address of its name is against
                the rules; nothing was sent.
            EgressFailed: if there was no answer in time; `ambiguous` says it may have arrived.
        """
        sent = checked_headers(method, headers or {})
        progress = _Progress()
        try:
            async with asyncio.timeout(timeout.total_seconds()):
                target = await self._target(url)
                request = _request(method, target, headers=sent, content=content)
                request.extensions["trace"] = progress.note
                return await self._first_answer(request, target, progress, body_cap)
        except TimeoutError:
            raise EgressFailed(
                f"No answer within {timeout.total_seconds():g} s.", ambiguous=progress.sent
            ) from None

    async def _target(self, url: str) -> _Target:
        parsed = _parse(url)
        name = parsed.raw_host.decode("ascii").rstrip(".").lower()
        port = parsed.port or (443 if parsed.scheme == "https" else 80)
        found = [name] if literal(name) else await self._resolve(name, port)
        addresses = tuple(dict.fromkeys(unwrapped(ip_address(text)) for text in found))
        for address in addresses:
            self._check(address, name=name, port=port, tls=parsed.scheme == "https")
        return _Target(url=parsed, name=name, addresses=addresses)

    async def _resolve(self, name: str, port: int) -> Sequence[str]:
        try:
            found = await self._resolver(name, port)
        except (OSError, UnicodeError) as error:
            raise EgressFailed(f"{name} cannot be resolved: {error}.", ambiguous=False) from error
        if not found:
            raise EgressFailed(f"{name} has no address.", ambiguous=False)
        return found

    def _check(self, address: Address, *, name: str, port: int, tls: bool) -> None:
        if any(address in net for net in self._allow_nets):
            return
        if not is_public(address):
            raise EgressRefused(
                f"{name} leads to {address}, which is not a public address. If it is meant to be "
                f"called, add its network to {self._setting}.",
                rule="address",
            )
        if not (tls or self._allow_http):
            raise EgressRefused(
                f"{name} would be called without TLS. Use https, or add the network of {address} "
                f"to {self._setting}.",
                rule="scheme",
            )
        if port not in self._ports:
            raise EgressRefused(
                f"Port {port} of {name} is not among {sorted(self._ports)}. Use one of these, or "
                f"add the network of {address} to {self._setting}.",
                rule="port",
            )

    async def _first_answer(
        self, request: httpx.Request, target: _Target, progress: _Progress, body_cap: int
    ) -> Answer:
        failure = EgressFailed(f"{target.name} accepts no connection.", ambiguous=False)
        for address in target.addresses[:_ADDRESSES_TRIED]:
            request.url = target.url.copy_with(host=str(address))
            try:
                return await self._send(request, body_cap)
            except (httpx.TransportError, ssl.SSLError) as error:
                what = str(error) or type(error).__name__
                failure = EgressFailed(f"{target.name}: {what}", ambiguous=progress.sent)
                if progress.sent:
                    break
        raise failure

    async def _send(self, request: httpx.Request, body_cap: int) -> Answer:
        # A pool of its own for every request: pools go by address, and two names on one address
        # would share a connection whose certificate was verified for the other name.
        limits = httpx.Limits(max_connections=1, max_keepalive_connections=0)
        async with httpx.AsyncHTTPTransport(
            verify=self._tls or _tls(), trust_env=False, limits=limits
        ) as transport:
            response = await transport.handle_async_request(request)
            try:
                body, cut = await _read(response, body_cap)
            finally:
                await response.aclose()
        return Answer(
            status=response.status_code, headers=dict(response.headers), body=body, cut=cut
        )


def plain_client(*, base_url: str = "", timeout: timedelta = TOTAL) -> httpx.AsyncClient:
    """A client for addresses we configured ourselves; the environment's proxies are not used."""
    return httpx.AsyncClient(
        base_url=base_url, timeout=timeout.total_seconds(), verify=_tls(), trust_env=False
    )


def socket_client(path: Path, *, timeout: timedelta = TOTAL) -> httpx.AsyncClient:
    """A client that speaks to the server listening on the Unix socket at `path`."""
    return httpx.AsyncClient(
        base_url="http://signoff",
        timeout=timeout.total_seconds(),
        transport=httpx.AsyncHTTPTransport(uds=str(path), verify=_tls(), trust_env=False),
        trust_env=False,
    )


def app_client(app: AsgiApp, *, base_url: str = "http://127.0.0.1:8080") -> httpx.AsyncClient:
    """A client that calls `app` in this process, without a network."""
    return httpx.AsyncClient(
        base_url=base_url, transport=httpx.ASGITransport(app=app), trust_env=False
    )


@cache
def _tls() -> ssl.SSLContext:
    # Reading the certificates takes tens of milliseconds: once is enough.
    return httpx.create_ssl_context(trust_env=False)


def _parse(url: str) -> httpx.URL:
    if len(url) > _URL_CHARS_MAX or not _URL.fullmatch(url):
        raise EgressRefused("The URL holds characters that no URL has.", rule="url")
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, UnicodeError) as error:
        raise EgressRefused(f"The URL cannot be read: {error}", rule="url") from error
    if parsed.scheme not in ("https", "http"):
        raise EgressRefused("Only https addresses are called.", rule="scheme")
    if parsed.userinfo or _USERINFO.match(url):
        raise EgressRefused("A user or password in the URL is not allowed.", rule="userinfo")
    name = parsed.raw_host.decode("ascii").rstrip(".").lower()
    if not (literal(name) or _HOST.fullmatch(name)):
        raise EgressRefused("The URL names no host.", rule="host")
    if is_odd_number(name):
        raise EgressRefused(f"{name} is an odd spelling of an address.", rule="host")
    return parsed


def _request(
    method: str, target: _Target, *, headers: Mapping[str, str], content: bytes
) -> httpx.Request:
    own = {
        "Host": target.url.netloc.decode("ascii"),
        "Accept-Encoding": "identity",
        "Connection": "close",
    }
    timeouts = httpx.Timeout(None, connect=CONNECT.total_seconds()).as_dict()
    return httpx.Request(
        method,
        target.url,
        headers={**headers, **own},
        content=content,
        extensions={"sni_hostname": target.name, "timeout": timeouts},
    )


async def _read(response: httpx.Response, body_cap: int) -> tuple[bytes, bool]:
    # What is compressed though we asked it not to be stays unread: it might be a bomb.
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        return b"", True
    body = bytearray()
    async for piece in response.aiter_raw():
        body += piece
        if len(body) > body_cap:
            return bytes(body[:body_cap]), True
    return bytes(body), False
