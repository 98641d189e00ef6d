"""How PostgreSQL is named and reached: every spelling of its URL, and what each connection promises."""

from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from importlib import import_module
from typing import Any, Final
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit, urlunsplit

from engine.store.postgres_errors import is_away

SCHEMES: Final = ("postgresql", "postgres")
DRIVERS: Final = ("", "+asyncpg", "+psycopg", "+psycopg2")
CONNECT_WITHIN: Final = timedelta(seconds=5)  # to each host
STATEMENT_WITHIN: Final = timedelta(seconds=15)
LOCK_WITHIN: Final = timedelta(seconds=10)
IDLE_WITHIN: Final = timedelta(seconds=5)  # in a transaction: a sleeper holds up the rescue
ANSWER_WITHIN: Final = timedelta(seconds=18)  # where the network swallows what the server said
# The server hears by itself that we are gone, and frees what we hold: after 30 seconds of silence.
NOTICED: Final = {
    "tcp_keepalives_idle": "15",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "30000",
}
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


def connecting(url: str, *, name: str) -> Callable[[], Awaitable[Any]]:
    """What opens one connection to `url`, which calls itself `name` in the server's own lists.

    Nothing it does lasts for ever: each statement, each wait for a lock, each pause in a transaction
    and each answer has its time.
    """
    return lambda: _connect(
        url,
        name,
        statement_timeout=STATEMENT_WITHIN,
        lock_timeout=LOCK_WITHIN,
        idle_in_transaction_session_timeout=IDLE_WITHIN,
    )


def connecting_patiently(url: str, *, name: str) -> Callable[[], Awaitable[Any]]:
    """As `connecting`, for what may take long: bringing a large database to a newer schema."""
    return lambda: _connect(url, name)


async def _connect(url: str, name: str, **within: timedelta) -> Any:
    hosts = each_host(url)
    for host in hosts[:-1]:
        try:
            return await _connect_to(host, name, **within)
        except Exception as error:  # border: the driver's; only what another host may mend goes on
            if not is_away(error):
                raise
    return await _connect_to(hosts[-1], name, **within)


async def _connect_to(url: str, name: str, **within: timedelta) -> Any:
    # Only whoever keeps everything on PostgreSQL has its driver, which comes without types.
    open_one: Callable[..., Awaitable[Any]] = import_module("asyncpg").connect
    limits = {setting: f"{round(time.total_seconds() * 1000)}" for setting, time in within.items()}
    return await open_one(
        url,
        timeout=CONNECT_WITHIN.total_seconds(),
        command_timeout=ANSWER_WITHIN.total_seconds() if within else None,
        server_settings={
            "application_name": name,
            "timezone": "UTC",
            "jit": "off",  # compiling these short statements takes longer than running them
            **NOTICED,
            **limits,
        },
    )
