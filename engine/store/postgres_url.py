"""How PostgreSQL is named: every spelling of its URL, without the driver or anything that it needs."""

from collections.abc import Iterator
from typing import Final
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit, urlunsplit

SCHEMES: Final = ("postgresql", "postgres")
DRIVERS: Final = ("", "+asyncpg", "+psycopg", "+psycopg2")
WRITABLE: Final = ("target_session_attrs", "read-write")


def is_postgres(url: str) -> bool:
    """Whether `url` names a PostgreSQL database, in whatever spelling."""
    scheme = url.partition("://")[0]
    return scheme in {f"{name}{driver}" for name in SCHEMES for driver in DRIVERS}


def normalised(url: str) -> str:
    """`url` with the one scheme that the driver knows; options such as `sslmode` stay as they are."""
    return f"postgresql://{url.partition('://')[2]}"


def shown_url(url: str) -> str:
    """Which database it is, without its password or options."""
    parts = urlsplit(normalised(url))
    hosts = parts.netloc.rpartition("@")[2] or dict(parse_qsl(parts.query)).get("host")
    return f"{hosts or 'this machine'}{parts.path}"


def each_host(url: str) -> list[str]:
    """`url` once for every host that it names, in its order; of several, one that takes writes is meant.

    Raises:
        ValueError: if the ports are none, or not as many as the hosts.
    """
    parts = urlsplit(normalised(url))
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    user, at, places = parts.netloc.rpartition("@")
    if places:
        found = [parts._replace(netloc=f"{user}{at}{place}") for place in places.split(",")]
    else:
        found = list(_by_option(parts, options))
    if len(found) > 1 and WRITABLE[0] not in options:
        found = [_with(each, dict([WRITABLE])) for each in found]
    if any(each.port == 0 for each in found):  # which raises by itself where it is no number
        raise ValueError("No server listens on port 0.")
    return [urlunsplit(each) for each in found]


def _by_option(parts: SplitResult, options: dict[str, str]) -> Iterator[SplitResult]:
    hosts = options.get("host", "").split(",")
    ports = options.get("port", "").split(",")
    if len(ports) == 1:
        ports *= len(hosts)
    for host, port in zip(hosts, ports, strict=True):
        own = {name: value for name, value in (("host", host), ("port", port)) if value}
        yield _with(parts, own)


def _with(parts: SplitResult, own: dict[str, str]) -> SplitResult:
    options = dict(parse_qsl(parts.query, keep_blank_values=True)) | own
    return parts._replace(query=urlencode(options, safe="/"))
