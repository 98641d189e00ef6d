"""The site as a browser sees it: its cookies, its forms, and where each answer leads."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI
from httpx import AsyncClient, Response

from bot.application import Application
from bot.web.app import create_app
from bot.web.callers import cookie_name
from engine.http import app_client
from engine.ids import DEFAULT_TENANT, PersonId
from engine.services import approvals, links
from engine.services.approvals import Request
from engine.store.approvals import ApprovalRow
from engine.store.database import Transaction
from engine.store.pictures import ApprovalPicture
from tests.api.desk import session_for
from tests.web.html import Element, Page, read

ANA, BO, CHEN, DANA = (PersonId(name) for name in ("ana", "bo", "chen", "dana"))
HTML = {"accept": "text/html,application/xhtml+xml"}


@dataclass
class Browser:
    """One browser: it follows nothing by itself, and says where its posts come from."""

    client: AsyncClient
    origin: str
    headers: dict[str, str] = field(default_factory=lambda: dict(HTML))

    async def get(self, path: str, **headers: str) -> Response:
        return await self.client.get(path, headers=self._with(headers))

    async def post(
        self, path: str, data: Mapping[str, str | list[str]], **headers: str
    ) -> Response:
        from_here = {"origin": self.origin, "sec-fetch-site": "same-origin"}
        return await self.client.post(
            path, data={**data}, headers={**from_here, **self._with(headers)}
        )

    async def submit(self, shown: Response, action: str, **data: str | list[str]) -> Response:
        """Send the form of `shown` that goes to `action` by itself or by a button, its hidden fields included."""
        page = read(shown.text)
        form = next(
            found
            for found in page.all("form")
            if found.has("action", action)
            or any(each.has("formaction", action) for each in page.within(found))
        )
        return await self.post(action, {**hidden(page, form), **data})

    async def follow(self, answer: Response) -> Response:
        """Where a redirect leads."""
        assert answer.status_code == 303, answer.text
        return await self.get(answer.headers["location"])

    def _with(self, headers: Mapping[str, str]) -> dict[str, str]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return {**self.headers, **named}


def hidden(page: Page, form: Element) -> dict[str, str]:
    """What a form sends along without being asked."""
    return {
        found.attributes["name"]: found.attributes["value"]
        for found in page.within(form)
        if found.has("type", "hidden")
    }


@dataclass(frozen=True, kw_only=True)
class Site:
    """The application's pages, and browsers of whoever is needed."""

    application: Application
    app: FastAPI
    stranger: Browser

    @staticmethod
    @asynccontextmanager
    async def of(application: Application) -> AsyncIterator["Site"]:
        app = create_app(application)
        base_url = application.base_url
        async with app_client(app, base_url=base_url) as client:
            yield Site(application=application, app=app, stranger=Browser(client, base_url))

    @asynccontextmanager
    async def browser(self, person: PersonId | None = None) -> AsyncIterator[Browser]:
        """A browser of its own, where `person` is signed in."""
        base_url = self.application.base_url
        async with app_client(self.app, base_url=base_url) as client:
            if person is not None:
                database = self.application.database
                session = await database.write(lambda tx: session_for(tx, person, at="browser"))
                host = str(client.base_url.host)
                client.cookies.set(cookie_name(self.application), session, domain=host)
            yield Browser(client, base_url)

    async def asked(self, **more: Any) -> ApprovalRow:
        """An approval that Ana, Bo and Chen may answer."""
        request = asking(**more)
        return await self.application.database.write(
            lambda tx: approvals.ask(
                tx, DEFAULT_TENANT, request, started_by="key:agent", owner=None
            )
        )

    async def picture(self, approval: str) -> ApprovalPicture:
        return await self.application.database.read(
            lambda tx: approvals.picture(tx, DEFAULT_TENANT, approval)
        )

    async def link(self, row: ApprovalRow, person: PersonId = ANA, *, serial: int = 1) -> str:
        """The token of the link that a mail to `person` carries."""
        return await self.application.database.write(lambda tx: minted(tx, row, person, serial))


def asking(**more: Any) -> Request:
    """What is asked unless a test says otherwise."""
    given: dict[str, Any] = {
        "title": "Refund order 17?",
        "action": "refund",
        "details": {"order": "17", "amount": "620.00 USD"},
        "approvers": "group:finance",
        "quorum": 2,
        "ladder": ["reject after 4h"],
    }
    return Request(**{**given, **more})


def minted(tx: Transaction, row: ApprovalRow, person: PersonId, serial: int) -> str:
    links.mint(tx, row.tenant, approval=row.id, version=row.version, person=person, serial=serial)
    return tx.tokens.respond(approval=row.id, version=row.version, person=person, serial=serial)
