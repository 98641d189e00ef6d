"""Requests that the stand-ins send: whatever happens to them becomes a value."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import anyio

from engine.clock import Clock
from engine.http import plain_client

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A request that can be sent again, byte for byte, or spoiled first."""

    url: str
    body: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came back. Status 0 means that nothing did, and `failure` says why."""

    status: int
    body: bytes = b""
    content_type: str = ""
    failure: str = ""


async def deliver(sent: Sent, *, method: str = "POST") -> Reply:
    """Send the request and return the reply; redirects are replies too."""
    try:
        async with plain_client() as client:
            response = await client.request(
                method, sent.url, content=sent.body, headers=dict(sent.headers)
            )
    except Exception as error:  # border: the other side may do anything, and that is the result
        return Reply(status=0, failure=type(error).__name__)
    return Reply(
        status=response.status_code,
        body=response.content,
        content_type=response.headers.get("content-type", ""),
    )


async def within(clock: Clock, limit: timedelta, work: Callable[[], Awaitable[T]]) -> T | None:
    """What `work` returns, or None when `limit` of the clock passes first; then it is cancelled."""
    results: list[T] = []
    async with anyio.create_task_group() as both:

        async def expire() -> None:
            await clock.sleep(limit)
            both.cancel_scope.cancel()

        both.start_soon(expire)
        results.append(await work())
        both.cancel_scope.cancel()
    return results[0] if results else None
