"""The command line's one way to the server: over HTTP, over the owner's socket, or inside this process."""

import asyncio
import json
import logging
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final
from urllib.parse import quote

import typer

from bot.cli import sessions, tenant
from bot.cli.remote import Remote, key_of, remote
from bot.cli.terminal import ExitCode, Stopped
from bot.owner_socket import check_is_ours, socket_path
from bot.settings import Settings, load
from engine.clock import SystemClock
from engine.errors import FileOwned
from engine.http import app_client, plain_client, socket_client
from engine.store.postgres_url import shown_url
from signoff.wire import Request, exchange

if TYPE_CHECKING:
    from bot.wiring import Running

Url = Annotated[
    str | None,
    typer.Option(
        "--url",
        metavar="URL",
        help="The server to talk to (or SIGNOFF_URL), with the key in SIGNOFF_API_KEY. "
        "Without it: whoever owns the database of this folder, or the database itself.",
    ),
]

NONE: Final[Mapping[str, str]] = {}
RETRY_EVERY: Final = timedelta(milliseconds=50)
BEGINS_WITHIN: Final = timedelta(seconds=5)  # an owner whose socket does not answer yet


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """The server's HTTP doors, whichever way they are reached.

    `server` is the name under which its sessions are kept. `inside` is there when this process
    itself is the server, and nobody else drives its runs.
    """

    server: str
    exchange: Callable[[Request], Awaitable[bytes]]
    settings: Settings | None = None
    inside: "Running | None" = None

    @property
    def is_owner(self) -> bool:
        """Whether nobody else can have the database open."""
        return (
            self.inside is not None and self.settings is not None and not self.settings.shared_url
        )

    async def get(self, path: str, **query: str | int | None) -> Any:
        """What `GET path` answers. Raises SignoffError for every refusal, as all of these do."""
        said = {name: str(value) for name, value in query.items() if value is not None}
        return await self._answer(Request(method="GET", path=path, query=said))

    async def post(
        self, path: str, body: Mapping[str, object], *, idempotency_key: str | None = None
    ) -> Any:
        """What `POST path` answers."""
        return await self._answer(
            Request(method="POST", path=path, body=body, idempotency_key=idempotency_key)
        )

    async def patch(self, path: str, body: Mapping[str, object]) -> Any:
        """What `PATCH path` answers."""
        return await self._answer(Request(method="PATCH", path=path, body=body))

    async def delete(self, path: str, **query: str) -> Any:
        """What `DELETE path` answers."""
        return await self._answer(Request(method="DELETE", path=path, query=query))

    @asynccontextmanager
    async def driven(self) -> AsyncGenerator[None]:
        """See that runs move on during the block: the server does so, or else this process.

        As the owner of a file it also answers the owner's socket, so that another terminal can vote,
        and delivers messages; beside others it leaves those to servers, which have the channels.
        """
        if self.inside is None or self.settings is None:
            yield
            return
        from bot.serving import beside_the_database

        async with beside_the_database(self.settings, self.inside), asyncio.TaskGroup() as group:
            driving = self.inside.work() if self.is_owner else self.inside.worker.work()
            work = group.create_task(driving)
            try:
                yield
            finally:
                work.cancel()

    async def _answer(self, request: Request) -> Any:
        body = await self.exchange(request)
        return json.loads(body) if body else None


@asynccontextmanager
async def doors(
    url: str | None,
    *,
    as_person: bool = False,
    workflows: Sequence[str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> AsyncGenerator[Doors]:
    """The doors of the server at `url`; without one, of whoever owns this folder's database.

    Nobody owning it, this process does until the block ends; unless `workflows` is None it imports
    the configured ones and these. With `as_person` the session of `signoff login` speaks, else an
    API key or the owner. It speaks for the tenant that was named, unless `headers` say otherwise.

    Raises:
        Stopped: `not_signed_in` or `no_key`, if there is nothing to speak with.
        EngineError: if this process had to open the database and could not.
    """
    elsewhere, said = remote(url), tenant.said(url) if headers is None else headers
    if elsewhere.url is not None:
        bearer = session_at(elsewhere.url) if as_person else key_of(elsewhere)
        async with at_url(elsewhere.url, bearer=bearer, headers=said) as found:
            yield found
        return
    settings = load()
    person = session_at(server_of(settings)) if as_person else None
    async with beside(settings, bearer=person, workflows=workflows, headers=said) as found:
        yield found


@asynccontextmanager
async def doors_for_anybody(url: str | None) -> AsyncGenerator[Doors]:
    """The doors as `doors` finds them, for somebody who has yet to say who they are."""
    elsewhere = remote(url)
    if elsewhere.url is not None:
        async with at_url(elsewhere.url, bearer=None, headers=tenant.said(url)) as found:
            yield found
        return
    async with beside(load(), bearer=None, headers=tenant.said(url)) as found:
        yield found


def server_named(url: str | None) -> str:
    """The name under which the sessions of that server are kept."""
    elsewhere: Remote = remote(url)
    return elsewhere.url or server_of(load())


def server_of(settings: Settings) -> str:
    """The name of the server that owns the database of these settings."""
    if settings.shared_url is not None:
        return f"postgresql:{shown_url(settings.shared_url)}"
    return f"sqlite:{settings.database_path.resolve()}"


def segment(id: str) -> str:
    """`id` as one part of a path, whatever was typed."""
    return quote(id, safe="").replace(".", "%2E") or "-"


def session_at(server: str) -> str:
    """The bearer of whoever is signed in at `server`.

    Raises:
        Stopped: `not_signed_in`, if nobody is.
    """
    session = sessions.of(server)
    if session is None:
        raise Stopped(
            "Nobody is signed in here, and votes are people's. Run `signoff login "
            "ana@example.com` with your address first.",
            code="not_signed_in",
            exit_code=ExitCode.REFUSED,
        )
    return session.token


@asynccontextmanager
async def at_url(
    url: str, *, bearer: str | None, headers: Mapping[str, str] = NONE
) -> AsyncGenerator[Doors]:
    """The doors of a server elsewhere."""
    async with plain_client(base_url=url) as client:
        client.headers.update({**_said(bearer), **headers})
        yield Doors(server=url, exchange=partial(exchange, client, retry_every=RETRY_EVERY))


@asynccontextmanager
async def beside(
    settings: Settings,
    *,
    bearer: str | None,
    workflows: Sequence[str] | None = None,
    headers: Mapping[str, str] = NONE,
) -> AsyncGenerator[Doors]:
    """The doors of whoever owns the database, over its socket, or else of this process itself."""
    async with AsyncExitStack() as stack:
        inside = await _inside(stack, settings, workflows)
        if inside is None:
            path = socket_path(settings.database_path)
            check_is_ours(path, settings.database_path)
            client = await stack.enter_async_context(socket_client(path))
        else:
            from bot.web.app import create_app
            from bot.web.local import local_only

            app = local_only(create_app(inside.application))
            client = await stack.enter_async_context(app_client(app, base_url=settings.base_url))
        client.headers.update({**_said(bearer), **headers})
        yield Doors(
            server=server_of(settings),
            exchange=partial(exchange, client, retry_every=RETRY_EVERY),
            settings=settings,
            inside=inside,
        )


async def _inside(
    stack: AsyncExitStack, settings: Settings, workflows: Sequence[str] | None
) -> "Running | None":
    """This process as one of those that share the database, or as its owner; None where one answers."""
    is_shared = settings.shared_url is not None
    path = None if is_shared else socket_path(settings.database_path)
    if path is not None and _answers(path):
        return None
    # Half a second of imports that talking to a server elsewhere does not need.
    from bot.logbook import configure
    from bot.wiring import running
    from bot.workflow_modules import load_workflows

    configure(settings.log_format, level=logging.WARNING)
    if workflows is None:
        # A verb that drives nothing brings no code, and would complain of every definition with tasks.
        logging.getLogger("engine.definitions").setLevel(logging.ERROR)
    named = () if workflows is None else (*settings.workflows, *workflows)
    authored = load_workflows(named)
    try:
        # What the servers of a shared database were told of people and channels, a terminal leaves alone.
        opening = running(settings, authored=authored, prepares=not is_shared)
        return await stack.enter_async_context(opening)
    except FileOwned:
        if path is None or not await _begins_to_answer(path):
            raise
        return None


async def _begins_to_answer(path: Path) -> bool:
    clock = SystemClock()
    until = clock.now() + BEGINS_WITHIN
    while not _answers(path):
        if clock.now() > until:
            return False
        await clock.sleep(RETRY_EVERY)
    return True


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
        return True


def _said(bearer: str | None) -> dict[str, str]:
    return {} if bearer is None else {"Authorization": f"Bearer {bearer}"}
