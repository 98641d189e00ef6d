"""How PostgreSQL is reached: each host in turn, and what each connection promises."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from importlib import import_module
from typing import Any, Final

from engine.store.postgres_errors import is_away
from engine.store.postgres_url import each_host

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
