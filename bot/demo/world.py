"""The three stand-ins together: one page address, one SMTP port, one clock."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route

from bot.demo.hooks.standin import HooksStandIn
from bot.demo.hooks.verification import new_secret
from bot.demo.mail.server import Abilities
from bot.demo.mail.standin import MailStandIn
from bot.demo.pages import Nav
from bot.demo.serving import served
from bot.demo.slack.house import House
from bot.demo.slack.standin import SlackStandIn
from engine.clock import Clock
from engine.ids import Ids, SystemIds


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Everything outside the bot, at `url`; mail goes to `mail.port`."""

    url: str
    slack: SlackStandIn
    mail: MailStandIn
    hooks: HooksStandIn
    nav: Nav

    def bot_at(self, base: str) -> None:
        """Say where the bot is: Slack calls it there, and the pages link to it."""
        self.slack.app_at(f"{base.rstrip('/')}/slack/events")
        self.nav.links["Signoff"] = f"{base.rstrip('/')}/"


@asynccontextmanager
async def world(
    clock: Clock,
    *,
    ids: Ids | None = None,
    house: House | None = None,
    abilities: Abilities | None = None,
    port: int = 0,
    smtp_port: int = 0,
) -> AsyncGenerator[World]:
    """Serve the stand-ins under `/slack`, `/mail` and `/hooks` of one address, and SMTP beside it.

    Without a `house`, its bot token and signing secret are made up: read them from `slack.house`.

    Raises:
        OSError: if a port is taken.
    """
    ids = ids or SystemIds()
    house = house or House(bot_token=f"xoxb-{ids.secret()}", signing_secret=ids.secret())
    nav = Nav(links={"Slack": "/slack/", "Mail": "/mail/", "Webhooks": "/hooks/"})
    slack = SlackStandIn(house, clock=clock, ids=ids, nav=nav)
    mail = MailStandIn(clock=clock, ids=ids, abilities=abilities, nav=nav)
    hooks = HooksStandIn([new_secret(ids.secret())], clock=clock, ids=ids, nav=nav)
    places = [
        Route("/", _first),
        Mount("/slack", slack.app),
        Mount("/mail", mail.app),
        Mount("/hooks", hooks.app),
    ]
    async with mail.listening(port=smtp_port), served(Starlette(routes=places), port=port) as url:
        slack.at(f"{url}/slack")
        hooks.at(f"{url}/hooks")
        try:
            yield World(url=url, slack=slack, mail=mail, hooks=hooks, nav=nav)
        finally:
            # Open pages hold a stream each; nobody should wait for them.
            for changes in (slack.space.changes, mail.mailbox.changes, hooks.deliveries.changes):
                changes.close()


async def _first(_request: Request) -> Response:
    return RedirectResponse("/slack/")
