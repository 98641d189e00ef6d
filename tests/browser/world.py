"""A whole Signoff behind a real port: people, approvals, and somebody's session for a browser."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.async_api import Page

from bot.application import Application
from bot.demo.serving import served
from bot.web.app import create_app
from bot.web.streams import Streams
from engine.clock import SystemClock
from engine.ids import DEFAULT_TENANT, PersonId, SystemIds
from engine.rules.tally import Choice
from engine.runtime.workflows import Workflows
from engine.services import votes
from engine.services.votes import Ballot
from engine.store.approvals import ApprovalRow
from engine.store.sqlite import opened
from engine.tokens import Tokens
from signoff.registry import registered
from tests.api.desk import given_company, session_for
from tests.web.site import Site


@dataclass(frozen=True, kw_only=True)
class World:
    """The site at `url`. What is asked here is asked as everywhere."""

    url: str
    site: Site
    streams: Streams

    async def sign_in(self, page: Page, person: PersonId) -> None:
        """Give the page's browser a session of `person`."""
        database = self.site.application.database
        token = await database.write(lambda tx: session_for(tx, person, at="browser"))
        await page.context.add_cookies([{"name": "signoff", "value": token, "url": self.url}])

    async def asked(self, **more: Any) -> ApprovalRow:
        """An approval that Ana, Bo and Chen may answer."""
        return await self.site.asked(**more)

    async def votes(self, person: PersonId, row: ApprovalRow, choice: str = "approve") -> None:
        """Somebody votes, somewhere else."""
        ballot = Ballot(
            tenant=DEFAULT_TENANT,
            approval=row.id,
            person=person,
            choice=Choice(choice),
            channel="slack",
            identified_by="slack",
        )
        await votes.vote(self.site.application.database, ballot)


@asynccontextmanager
async def served_world(path: Path) -> AsyncGenerator[World]:
    """Serve the application of a fresh file at `path`, by the machine's own clock."""
    clock, ids, tokens = SystemClock(), SystemIds(), Tokens(b"a secret of at least 32 bytes here")
    async with opened(path, clock=clock, ids=ids, tokens=tokens) as database:
        await given_company(database)
        application = Application(
            base_url="http://127.0.0.1:8080",
            database=database,
            clock=clock,
            ids=ids,
            tokens=tokens,
            workflows=Workflows(dict(registered())),
        )
        app = create_app(application)
        async with Site.of(application) as site, served(app) as url:
            streams: Streams = app.state.shared.streams
            yield World(url=url, site=site, streams=streams)
            streams.close()
