"""Refuses what another site makes a browser send: a cookie alone is no proof of who meant it."""

from ipaddress import ip_address
from typing import Final

from starlette.requests import Request

from engine.errors import Refused

SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


def same_origin(request: Request, *, base_url: str) -> None:
    """Return if the request changes nothing, or a page of ours sent it.

    Every browser says where an unsafe request comes from, in Sec-Fetch-Site, Origin or both. Each
    that is there must be right, and one has to be there. On this machine's own addresses the
    server may be called by any of its names.

    Raises:
        Refused: `cross_site`, otherwise.
    """
    if request.method in SAFE:
        return
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    is_said = site is not None or origin is not None
    is_ours = site in {None, "same-origin"} and (
        origin is None or _origin(origin) in _ours(request, base_url)
    )
    if not (is_said and is_ours):
        raise Refused(
            "This request came from another site. Open the page here and send it again.",
            code="cross_site",
        )


def _ours(request: Request, base_url: str) -> set[str]:
    host = request.headers.get("host", "").lower()
    own = {f"http://{host}"} if is_loopback(host) else set[str]()
    return {_origin(base_url), *own}


def _origin(url: str) -> str:
    # As a browser writes it: no path, and no port that the scheme has anyway.
    scheme, _, rest = url.lower().partition("://")
    place = rest.partition("/")[0]
    return f"{scheme}://{place.removesuffix({'https': ':443', 'http': ':80'}.get(scheme, '/'))}"


def is_loopback(host: str) -> bool:
    """Whether a Host header names this machine itself: a page of another site cannot choose that."""
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    try:
        return name == "localhost" or ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False
