"""Where a request comes from cannot be chosen by whoever sends it."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from starlette.requests import HTTPConnection

from bot.web.places import is_this_machine, place_of
from bot.web.rates import PLACES_MAX, Buckets, TooManyTries
from tests.clock import ManualClock

PROXIES = ("10.0.0.0/8", "::1")


def request(client: str | None, *forwarded: str) -> HTTPConnection:
    lines = [(b"x-forwarded-for", line.encode()) for line in forwarded]
    headers = [(b"host", b"127.0.0.1:8080"), *lines]
    return HTTPConnection(
        {"type": "http", "headers": headers, "client": client and (client, 1), "path": "/"}
    )


@pytest.mark.parametrize(
    ("client", "forwarded", "expected"),
    [
        pytest.param("203.0.113.7", [], "203.0.113.7", id="nobody between"),
        pytest.param("203.0.113.7", ["198.51.100.1"], "203.0.113.7", id="a header from a stranger"),
        pytest.param("10.1.1.1", ["198.51.100.1"], "198.51.100.1", id="a proxy of ours"),
        pytest.param("10.1.1.1", ["1.2.3.4, 198.51.100.1"], "198.51.100.1", id="a forged hop"),
        pytest.param("10.1.1.1", ["198.51.100.1, 10.2.2.2"], "198.51.100.1", id="two proxies"),
        pytest.param("::1", ["198.51.100.1", "10.3.3.3"], "198.51.100.1", id="two headers"),
        pytest.param("10.1.1.1", [], "10.1.1.1", id="the proxy itself"),
        pytest.param("10.1.1.1", ["nonsense"], "unknown", id="no address"),
        pytest.param(None, [], "unknown", id="a socket without an address"),
    ],
)
def test_the_nearest_stranger_is_the_place(
    client: str | None, forwarded: Sequence[str], expected: str
) -> None:
    assert place_of(request(client, *forwarded), PROXIES) == expected


def test_this_machine_is_loopback_without_a_proxy() -> None:
    assert is_this_machine(request("127.0.0.1"))
    assert is_this_machine(request("::1"))
    assert not is_this_machine(request("127.0.0.1", "198.51.100.1"))
    assert not is_this_machine(request("203.0.113.7"))
    assert not is_this_machine(request(None))


@pytest.mark.anyio
async def test_tries_come_back_with_time() -> None:
    clock = ManualClock()
    buckets = Buckets(clock, tries=2, per=timedelta(minutes=1))
    for _ in range(2):
        buckets.spend("a")
    with pytest.raises(TooManyTries, match="in 30 s"):
        buckets.spend("a")
    buckets.spend("b")

    await clock.advance(timedelta(seconds=30))

    buckets.spend("a")
    with pytest.raises(TooManyTries):
        buckets.spend("a")


def test_the_places_that_are_remembered_are_bounded() -> None:
    buckets = Buckets(ManualClock(), tries=1, per=timedelta(minutes=1))
    buckets.spend("first")

    for number in range(PLACES_MAX):
        buckets.spend(str(number))

    buckets.spend("first")
