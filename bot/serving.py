"""Serves one Signoff over HTTP and over the owner's socket, from one process, until it is told to stop."""

import asyncio
import errno
import signal
import socket
from collections.abc import AsyncGenerator, Callable, Generator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import structlog
import uvicorn
from starlette.types import ASGIApp
from typing_extensions import override

from bot.owner_socket import bound
from bot.setting_values import DOORS_WITHOUT_WORKERS, is_loopback
from bot.settings import Settings
from bot.web.app import create_app
from bot.web.heads import BoundedProtocol
from bot.web.local import local_only
from bot.web.warming import warmed
from bot.wiring import Running, running
from engine.errors import Invalid, Unavailable
from engine.ids import DEFAULT_TENANT
from engine.services import sign_ins
from signoff.registry import Workflow

FINISH_WITHIN: Final = timedelta(seconds=20)  # runs and messages that are under way at a stop
ANSWER_WITHIN: Final = timedelta(seconds=3)  # requests, among them pages that listen for ever

_log = structlog.stdlib.get_logger("bot")


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What people are told once it answers. `sign_in` is the first operator's link, used once."""

    url: str
    sign_in: str | None
    operator: str | None
    can_mail: bool


class _Server(uvicorn.Server):
    """uvicorn that leaves signals to whoever owns the process."""

    @override
    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


async def serve(
    settings: Settings,
    *,
    announce: Callable[[Served], None],
    authored: Mapping[str, Workflow] | None = None,
    stop: asyncio.Event | None = None,
) -> bool:
    """Serve until SIGTERM, SIGINT or `stop`; `announce` hears of it as soon as it answers.

    Then nothing new begins: requests get three seconds, runs and messages twenty to come to their
    next wait, and what is left goes on at the next start. A second signal ends the process at once.
    Gives whether all came to its wait; where not, a step's thread may still be busy.

    Raises:
        FileOwned: if another process owns the database.
        Invalid: `open_http`, if others could reach it and the base URL is not https; `not_shared`,
            if it has only doors and nobody else could do the work.
        Unavailable: `port_taken`, if the port cannot be listened on.
    """
    check_reach(settings)
    if settings.doors_only and settings.shared_url is None:
        raise Invalid(DOORS_WITHOUT_WORKERS, code="not_shared")
    stop = stop or asyncio.Event()
    with _stopped_by_signals(stop):
        return await _serve_until(stop, settings, announce, authored)


async def _serve_until(
    stop: asyncio.Event,
    settings: Settings,
    announce: Callable[[Served], None],
    authored: Mapping[str, Workflow] | None,
) -> bool:
    async with running(settings, authored=authored) as it:
        app = create_app(it.application)
        with ExitStack() as stack:
            doors = _listening(settings.host, settings.port)
            for door in doors:
                stack.enter_context(door)
            answering: list[tuple[ASGIApp, Sequence[socket.socket]]] = [(app, doors)]
            if settings.shared_url is None:
                beside = stack.enter_context(bound(settings.database_path))
                answering.append((local_only(app), [beside]))
            async with _answering(answering):
                try:
                    announce(await _told(settings, it))
                    async with warmed(app.state.shared.pages, it.application.clock):
                        finished = await _serve_or_work_until(stop, it, settings)
                finally:
                    app.state.shared.streams.close()
        _log.info("server.stopped")
    return finished


async def work(
    settings: Settings,
    *,
    announce: Callable[[], None],
    authored: Mapping[str, Workflow] | None = None,
    stop: asyncio.Event | None = None,
) -> bool:
    """Drive runs, fire rungs and deliver without any door, beside others, until told to stop as `serve` is.

    Raises:
        Invalid: `not_shared`, if the database is a file, which has one owner.
    """
    if settings.shared_url is None:
        raise Invalid(
            "A worker shares its database with servers, and a SQLite file has one owner: use `signoff "
            "serve`, which works too, or set SIGNOFF_DATABASE_URL to a PostgreSQL.",
            code="not_shared",
        )
    stop = stop or asyncio.Event()
    with _stopped_by_signals(stop):
        async with running(settings, authored=authored) as it:
            announce()
            finished = await _work_until(stop, it)
    _log.info("server.stopped")
    return finished


@asynccontextmanager
async def beside_the_database(settings: Settings, it: Running) -> AsyncGenerator[None]:
    """Answer the owner's socket alone during the block; a shared database has neither."""
    if settings.shared_url is not None:
        yield
        return
    with bound(settings.database_path) as listener:
        async with _answering([(local_only(create_app(it.application)), [listener])]):
            yield


def check_reach(settings: Settings) -> None:
    """Return if what travels in the open stays on this machine.

    Raises:
        Invalid: `open_http`, otherwise.
    """
    if settings.base_url.startswith("https://") or is_loopback(settings.host):
        return
    raise Invalid(
        f"{settings.host} is reached by others, and {settings.base_url} is not https. Listen on "
        "127.0.0.1, or put a proxy with TLS in front and write its address into SIGNOFF_BASE_URL.",
        code="open_http",
    )


async def _serve_or_work_until(stop: asyncio.Event, it: Running, settings: Settings) -> bool:
    if not settings.doors_only:
        return await _work_until(stop, it)
    await stop.wait()
    _log.info("server.stopping")
    return True


async def _work_until(stop: asyncio.Event, it: Running) -> bool:
    try:
        async with asyncio.TaskGroup() as group:
            work = group.create_task(it.work())
            await stop.wait()
            _log.info("server.stopping")
            it.stop()
            _, late = await asyncio.wait({work}, timeout=FINISH_WITHIN.total_seconds())
            if late:
                _log.warning("server.left_unfinished", after_s=FINISH_WITHIN.total_seconds())
                work.cancel()
    except Exception:  # border: the terminal gets one sentence, the log all there is to know
        _log.exception("server.broke")
        raise
    return not late


@asynccontextmanager
async def _answering(
    apps: Sequence[tuple[ASGIApp, Sequence[socket.socket]]],
) -> AsyncGenerator[None]:
    servers = [(_server(app), list(doors)) for app, doors in apps]
    async with asyncio.TaskGroup() as group:
        for server, doors in servers:
            await _begin(server, doors)
            group.create_task(server.main_loop())
        try:
            yield
        finally:
            for server, _doors in servers:
                server.should_exit = True
            async with asyncio.TaskGroup() as ending:
                for server, doors in servers:
                    ending.create_task(server.shutdown(sockets=doors))


async def _begin(server: uvicorn.Server, doors: list[socket.socket]) -> None:
    # What `Server.serve` does first, in the open: afterwards it answers, and not some moments later.
    server.config.load()
    server.lifespan = server.config.lifespan_class(server.config)
    await server.startup(sockets=doors)


def _server(app: ASGIApp) -> uvicorn.Server:
    return _Server(
        uvicorn.Config(
            app,
            http=BoundedProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            # The doors judge forwarded addresses themselves; see `bot.web.places`.
            proxy_headers=False,
            timeout_graceful_shutdown=round(ANSWER_WITHIN.total_seconds()),
        )
    )


def _listening(host: str, port: int) -> list[socket.socket]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    doors: list[socket.socket] = []
    for family, kind, protocol, _name, address in dict.fromkeys(found):
        try:
            door = socket.socket(family, kind, protocol)
        except OSError:
            continue  # a family that this machine does not speak
        try:
            door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                door.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            door.bind(address)
        except OSError as error:
            door.close()
            if error.errno == errno.EADDRNOTAVAIL and len(found) > 1:
                continue
            for other in doors:
                other.close()
            raise _not_listening(host, port, error) from None
        doors.append(door)
    return doors


def _not_listening(host: str, port: int, error: OSError) -> Unavailable:
    if error.errno == errno.EADDRINUSE:
        sentence = (
            f"Something else listens on port {port}. Stop it, or choose another: --port 8090."
        )
    else:
        sentence = f"{host} port {port} cannot be listened on: {error.strerror}."
    return Unavailable(sentence, code="port_taken")


@contextmanager
def _stopped_by_signals(stop: asyncio.Event) -> Generator[None]:
    loop = asyncio.get_running_loop()
    heard = (signal.SIGTERM, signal.SIGINT)

    def once() -> None:
        stop.set()
        for each in heard:
            loop.remove_signal_handler(each)  # a second one is the system's: it ends the process

    for each in heard:
        loop.add_signal_handler(each, once)
    try:
        yield
    finally:
        for each in heard:
            loop.remove_signal_handler(each)


async def _told(settings: Settings, it: Running) -> Served:
    application = it.application
    database = application.database.of(DEFAULT_TENANT)  # whose operators run the installation
    link = await database.write(lambda tx: sign_ins.first_operator_link(tx, DEFAULT_TENANT))
    return Served(
        url=settings.base_url,
        sign_in=None if link is None else f"{settings.base_url}/sign-in/{link.token}",
        operator=None if link is None else link.person.name,
        can_mail="email" in application.channels,
    )
