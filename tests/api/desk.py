"""Somebody of each kind who calls: a stranger, keys, people, an operator, this machine."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from httpx import AsyncClient, Response

from bot.application import Application
from bot.web.local import local_only
from engine.http import app_client
from engine.ids import DEFAULT_TENANT, PersonId
from engine.services import configuration, keys, sign_ins
from engine.services.configuration import Directory, ListedPerson
from engine.services.keys import NewKey, Scope
from engine.store.database import Database, Transaction
from signoff import Run
from signoff.registry import Workflow, registered, workflow

ANA, BO, CHEN, DANA = PersonId("ana"), PersonId("bo"), PersonId("chen"), PersonId("dana")
COMPANY = Directory(
    people=(
        ListedPerson(id=ANA, name="Ana Diaz", email="ana@example.com", slack="T0123/U0AAA"),
        ListedPerson(id=BO, name="Bo Lind", email="bo@example.com"),
        ListedPerson(id=CHEN, name="Chen Wu", email="chen@example.com"),
        ListedPerson(id=DANA, name="Dana Oz", email="dana@example.com"),
    ),
    groups={"finance": frozenset({ANA, BO, CHEN})},
    roles={"operator": frozenset({DANA})},
    routes={},
)
ASKED: Mapping[str, Any] = {
    "title": "Refund order 17?",
    "action": "refund",
    "details": {"order": "17", "amount": "620.00"},
    "approvers": "group:finance",
    "quorum": 2,
    "ladder": ["reject after 4h"],
}


@workflow(name="tests.pay")
async def pay(run: Run, order: str, times: int = 1) -> str:
    return f"{order} x {times}"


WORKFLOWS: dict[str, Workflow] = {"tests.pay": registered()["tests.pay"]}


async def given_company(database: Database, listed: Directory = COMPANY) -> None:
    ours = database.of(DEFAULT_TENANT)
    await ours.write(lambda tx: configuration.apply(tx, DEFAULT_TENANT, listed))


def session_for(tx: Transaction, person: PersonId, *, at: str) -> str:
    """Sign `person` in at a `browser` or a `terminal`, as the links in their mail would."""
    email = f"{person}@example.com"
    if at == "browser":
        asked = sign_ins.ask_link(tx, DEFAULT_TENANT, email)
        session = None if asked is None else sign_ins.confirm(tx, asked.token)
    else:
        terminal = sign_ins.begin_terminal(tx, email, homes=[DEFAULT_TENANT])
        if terminal.link is not None:
            sign_ins.confirm(tx, terminal.link.token)
        session = sign_ins.poll_terminal(tx, terminal.device_secret)
    assert session is not None
    return session.token


@dataclass(frozen=True, kw_only=True)
class Desk:
    """The application's doors, and clients that are already known at them."""

    application: Application
    stranger: AsyncClient
    local: AsyncClient

    @staticmethod
    @asynccontextmanager
    async def of(app: FastAPI, application: Application) -> AsyncGenerator["Desk"]:
        async with app_client(app) as stranger, app_client(local_only(app)) as local:
            yield Desk(application=application, stranger=stranger, local=local)

    async def key(self, *scopes: Scope, owner: PersonId | None = None) -> "Known":
        """Somebody with a key of these scopes; of every scope when none is named."""
        new = NewKey(name="agent", scopes=scopes or tuple(Scope), owner=owner)
        _, presented = await self.application.database.of(DEFAULT_TENANT).write(
            lambda tx: keys.create(tx, DEFAULT_TENANT, new, by="tests")
        )
        return Known(client=self.stranger, token=presented)

    async def person(self, person: PersonId) -> "Known":
        """`person` at a terminal."""
        token = await self.application.database.of(DEFAULT_TENANT).write(
            lambda tx: session_for(tx, person, at="terminal")
        )
        return Known(client=self.stranger, token=token)

    async def cookie(self, person: PersonId) -> dict[str, str]:
        """The cookie of `person` in a browser."""
        token = await self.application.database.of(DEFAULT_TENANT).write(
            lambda tx: session_for(tx, person, at="browser")
        )
        return {"cookie": f"signoff={token}"}


@dataclass(frozen=True, kw_only=True)
class Known:
    """A client whose every request carries a bearer token."""

    client: AsyncClient
    token: str

    async def send(
        self, method: str, path: str, *, json: object = None, **headers: str
    ) -> Response:
        return await self.client.request(
            method,
            path,
            json=json,
            headers={"authorization": f"Bearer {self.token}", **headers},
        )

    async def get(self, path: str) -> Response:
        return await self.send("GET", path)

    async def post(self, path: str, json: object = None, **headers: str) -> Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.send("POST", path, json=json, **named)


def code(response: Response) -> tuple[int, str]:
    """The status and the stable code of a refusal, after making sure that it has the one shape."""
    assert response.headers["content-type"] == "application/problem+json", response.text
    problem = response.json()
    assert problem["status"] == response.status_code
    assert problem["type"] == f"/problems/{problem['code']}"
    assert problem["title"]
    assert problem["detail"].endswith(".")
    return response.status_code, problem["code"]
