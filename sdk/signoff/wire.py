"""One request to the server: sent again where that is safe, its refusal made one exception."""

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

import httpx
from pydantic import ValidationError

from signoff.answers import Problem
from signoff.errors import SignoffError

ATTEMPTS_MAX: Final = 5
PAUSE_MAX: Final = timedelta(seconds=10)
BUSY: Final = frozenset({429, 502, 503, 504})  # nothing was decided; the same request may succeed
NEVER_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked of the server. Repeatable means that twice is as good as once."""

    method: str
    path: str
    body: Mapping[str, object] | None = None
    query: Mapping[str, str] = field(default_factory=dict[str, str])
    idempotency_key: str | None = None
    lasts: timedelta = timedelta(0)

    @property
    def is_repeatable(self) -> bool:
        """Whether it may be sent again although the first one may have been received."""
        return self.method == "GET" or self.idempotency_key is not None


async def exchange(http: httpx.AsyncClient, request: Request, *, retry_every: timedelta) -> bytes:
    """The body of the server's answer.

    A repeatable request is sent up to five times, with the same idempotency key and growing
    pauses, if the connection fails or the server is busy. Others are sent again only where the
    first certainly never left.

    Raises:
        SignoffError: for every refusal; `unreachable` if the last attempt had no answer.
    """
    attempt = 1
    while True:
        try:
            response = await _send(http, request)
        except httpx.RequestError as error:
            again = request.is_repeatable or isinstance(error, NEVER_SENT)
            if not again or attempt == ATTEMPTS_MAX:
                raise _unreachable(http, error) from None
            pause = _pause(attempt, retry_every)
        else:
            if response.is_success:
                return response.content
            again = request.is_repeatable and response.status_code in BUSY
            if not again or attempt == ATTEMPTS_MAX:
                raise _refusal(response)
            pause = max(_pause(attempt, retry_every), _retry_after(response))
        await asyncio.sleep(pause.total_seconds())
        attempt += 1


async def _send(http: httpx.AsyncClient, request: Request) -> httpx.Response:
    key = request.idempotency_key
    return await http.request(
        request.method,
        request.path,
        json=request.body,
        params=request.query,
        headers={} if key is None else {"Idempotency-Key": key},
        timeout=httpx.Timeout(10, read=15 + request.lasts.total_seconds()),
    )


def _pause(attempt: int, retry_every: timedelta) -> timedelta:
    spread = 0.5 + secrets.randbits(16) / (1 << 17)  # so that many clients do not come at once
    return min(retry_every * (1 << (attempt - 1)), PAUSE_MAX) * spread


def _retry_after(response: httpx.Response) -> timedelta:
    said = response.headers.get("Retry-After", "")
    return min(timedelta(seconds=int(said)), PAUSE_MAX) if said.isdecimal() else timedelta(0)


def _refusal(response: httpx.Response) -> SignoffError:
    status = response.status_code
    try:
        problem = Problem.model_validate_json(response.content)
    except ValidationError:
        problem = Problem()
    said = problem.detail or problem.title
    return SignoffError(
        problem.code or f"http_{status}",
        status,
        said or f"The server answered {status} without saying why. Is this Signoff's address?",
    )


def _unreachable(http: httpx.AsyncClient, error: httpx.RequestError) -> SignoffError:
    why = str(error) or type(error).__name__
    return SignoffError(
        "unreachable", 0, f"No answer from {http.base_url}: {why}. Is Signoff running there?"
    )
