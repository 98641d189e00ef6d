"""Where a request comes from: the address of whoever sent it, past the proxies that we trust."""

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Final

from starlette.requests import HTTPConnection

from bot.web.origin import is_loopback

UNKNOWN: Final = "unknown"

_FORWARDED: Final = ("x-forwarded-for", "forwarded", "via")


def place_of(request: HTTPConnection, trusted: Sequence[str]) -> str:
    """The nearest address that is no trusted proxy: nobody can choose it by sending a header.

    What a trusted proxy wrote into X-Forwarded-For is believed from the right, one hop at a time.
    """
    place = UNKNOWN if request.client is None else request.client.host
    if trusted and _is_among(place, trusted):
        lines = request.headers.getlist("x-forwarded-for")
        hops = [hop.strip() for line in lines for hop in line.split(",")]
        while hops and _is_among(place, trusted):
            place = hops.pop()
    return place if _is_address(place) else UNKNOWN


def is_this_machine(request: HTTPConnection) -> bool:
    """Whether it came over loopback to a name of this machine, and through no proxy that says so.

    A site whose own name leads to 127.0.0.1 makes a browser here call us under that name.
    """
    if request.client is None or any(name in request.headers for name in _FORWARDED):
        return False
    if not is_loopback(request.headers.get("host", "").lower()):
        return False
    return _is_address(request.client.host) and ip_address(request.client.host).is_loopback


def _is_among(place: str, networks: Sequence[str]) -> bool:
    if not _is_address(place):
        return False
    address = ip_address(place)
    return any(address in _network(network) for network in networks)


@lru_cache(maxsize=256)
def _network(text: str) -> IPv4Network | IPv6Network:
    return ip_network(text, strict=False)


@lru_cache(maxsize=4096)
def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
