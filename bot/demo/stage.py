"""Sets the demo up: a temporary folder, the stand-ins in this process, and the server as its child."""

import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount

from bot.demo import people
from bot.demo.api import Api, api, new_key
from bot.demo.hooks.standin import HooksStandIn
from bot.demo.hooks.verification import new_secret
from bot.demo.ledger import LEDGER, Booked, booked
from bot.demo.mail.standin import MailStandIn
from bot.demo.pages import Nav
from bot.demo.server import Address, Server
from bot.demo.serving import bound, served
from bot.demo.slack.standin import SlackStandIn
from bot.demo.world import World
from engine.clock import Clock
from engine.ids import Ids, SystemIds

HOST: Final = "127.0.0.1"
SCOPES: Final = ("runs:start", "approvals:ask", "read")

Show = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Everything the demo has. `url` is its first page, `bot` where Signoff itself is."""

    folder: Path
    world: World
    server: Server
    bot: Address
    api: Api
    clock: Clock
    ids: Ids

    @property
    def url(self) -> str:
        """The first page."""
        return f"{self.world.url}/"

    @property
    def done(self) -> list[Booked]:
        """What was really done so far."""
        return booked(self.folder / LEDGER)


@asynccontextmanager
async def stage(
    clock: Clock, *, first: Callable[[Nav], list[BaseRoute]], port: int = 0
) -> AsyncGenerator[Stage]:
    """The stage until the block ends; then nothing of it is left. `first` makes the first page.

    Raises:
        OSError: if `port` is taken.
        NotStarted: if the server does not come up.
    """
    ids = SystemIds()
    # The owner's socket lies in the folder, and a socket's path may not be long.
    with tempfile.TemporaryDirectory(prefix="signoff-", ignore_cleanup_errors=True) as made:
        folder = Path(made)
        async with _outside(clock, ids, first=first, port=port) as world:
            own = _free_port()
            server = Server(folder, _settings(world, own, ids))
            _write(folder, world)
            try:
                bot = await server.start()
                world.bot_at(bot.url)
                key = await new_key(folder / "signoff.db", "demo", SCOPES)
                async with api(bot.url, key) as doors:
                    yield Stage(
                        folder=folder,
                        world=world,
                        server=server,
                        bot=bot,
                        api=doors,
                        clock=clock,
                        ids=ids,
                    )
            finally:
                await server.stop()


@asynccontextmanager
async def _outside(
    clock: Clock, ids: Ids, *, first: Callable[[Nav], list[BaseRoute]], port: int
) -> AsyncGenerator[World]:
    house = people.workspace(bot_token=f"xoxb-{ids.secret()}", signing_secret=ids.secret())
    nav = Nav(links={"Start": "/", "Slack": "/slack/", "Mail": "/mail/", "Webhooks": "/hooks/"})
    slack = SlackStandIn(house, clock=clock, ids=ids, nav=nav)
    mail = MailStandIn(clock=clock, ids=ids, nav=nav)
    hooks = HooksStandIn([new_secret(ids.secret())], clock=clock, ids=ids, nav=nav)
    places = [
        Mount("/slack", slack.app),
        Mount("/mail", mail.app),
        Mount("/hooks", hooks.app),
        *first(nav),
    ]
    async with mail.listening(), served(Starlette(routes=places), port=port) as url:
        slack.at(f"{url}/slack")
        hooks.at(f"{url}/hooks")
        try:
            yield World(url=url, slack=slack, mail=mail, hooks=hooks, nav=nav)
        finally:
            # Open pages hold a stream each; nobody should wait for them.
            for changes in (slack.space.changes, mail.mailbox.changes, hooks.deliveries.changes):
                changes.close()


def _free_port() -> int:
    with bound(HOST, 0) as probe:
        port: int = probe.getsockname()[1]
    return port


def _settings(world: World, port: int, ids: Ids) -> dict[str, str]:
    return {
        "SIGNOFF_HOST": HOST,
        "SIGNOFF_PORT": str(port),
        "SIGNOFF_SECRET_KEY": ids.secret(),
        "SIGNOFF_WORKFLOWS": "bot.demo.workflows,bot.demo.stories",
        "SIGNOFF_SLACK_API_URL": world.slack.api_url,
        "SIGNOFF_SLACK_BOT_TOKEN": world.slack.house.bot_token,
        "SIGNOFF_SLACK_SIGNING_SECRET": world.slack.house.signing_secret,
        "SIGNOFF_SLACK_APP_ID": world.slack.house.app_id,
        "SIGNOFF_SMTP_URL": world.mail.smtp_url,
        "SIGNOFF_MAIL_FROM": "Signoff <signoff@example.com>",
        "SIGNOFF_WEBHOOK_ALLOW_NETS": "127.0.0.0/8",
    }


def _write(folder: Path, world: World) -> None:
    text = people.configuration(hooks_url=world.hooks.url, hooks_secret=world.hooks.secrets[0])
    (folder / "signoff.toml").write_text(text, encoding="utf-8")
