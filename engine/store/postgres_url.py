"""How PostgreSQL is named and reached: every spelling of its URL, and what each connection promises."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from importlib import import_module
from typing import Any, Final
from urllib.parse import urlsplit

SCHEMES: Final = ("postgresql", "postgres")
DRIVERS: Final = ("", "+asyncpg", "+psycopg", "+psycopg2")
CONNECT_WITHIN: Final = timedelta(seconds=10)
STATEMENT_WITHIN: Final = timedelta(seconds=15)
LOCK_WITHIN: Final = timedelta(seconds=10)
IDLE_WITHIN: Final = timedelta(seconds=30)  # in a transaction; a deed awaits nothing but the store
ANSWER_WITHIN: Final = timedelta(seconds=20)  # where the network swallows what the server said


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
    place = parts.hostname or "this machine"
    return f"{place}{'' if parts.port is None else f':{parts.port}'}{parts.path}"


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
    # Only whoever keeps everything on PostgreSQL has its driver, which comes without types.
    open_one: Callable[..., Awaitable[Any]] = import_module("asyncpg").connect
    limits = {setting: f"{round(time.total_seconds() * 1000)}" for setting, time in within.items()}
    return await open_one(
        normalised(url),
        timeout=CONNECT_WITHIN.total_seconds(),
        command_timeout=ANSWER_WITHIN.total_seconds() if within else None,
        server_settings={
            "application_name": name,
            "timezone": "UTC",
            "jit": "off",  # compiling these short statements takes longer than running them
            **limits,
        },
    )
