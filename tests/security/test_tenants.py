"""Nobody reaches another tenant: every route of the app, called by everybody of one with the names of another."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from fastapi import FastAPI
from httpx import AsyncClient, Response
from sqlalchemy import select

from engine.ids import DEFAULT_TENANT, PersonId, TenantId
from engine.services import configuration, keys, sign_ins, tenants
from engine.services.configuration import Directory, ListedPerson
from engine.services.keys import NewKey, Scope
from engine.store import artifacts as stored
from engine.store import notices
from engine.store.database import Transaction
from engine.store.notices import Notice
from engine.store.sqlite import SqliteDatabase
from engine.store.tables import metadata
from tests.api.desk import ANA, ASKED, Desk
from tests.api.test_doors import routes
from tests.security.guarded import database
from tests.security.test_matrix import NEEDS

__all__ = ["database"]

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

ACME, EVE = TenantId("acme"), PersonId("eve")
CANARY = "canary-7f3a"
THEIRS = Directory(
    people=(ListedPerson(id=EVE, name="Eve", email="eve@acme.example"),),
    groups={"finance": frozenset({EVE})},
    roles={"operator": frozenset({EVE})},
)
# Anybody may call them, and nobody's tenant is asked: what is secret in the address opens them.
BY_SECRET = ("/respond/{token}", "/sign-in/{token}", "/callbacks/{approval}", "/slack/events")
ENDLESS = ("GET", "/api/events")
# Of whoever calls alone: they name nothing that somebody else has.
OWN = {("DELETE", "/api/session"), ("POST", "/sign-out"), ("POST", "/kill-switch/{turn}")}


@dataclass(frozen=True, kw_only=True)
class Ours:
    """What a tenant has that nobody else may see, by the names under which it is asked for."""

    approval: str
    run: str
    key: str
    delivery: str
    artifact: str
    case: str
    receipt: str
    budget: str


@dataclass(frozen=True, kw_only=True)
class Intruder:
    """Somebody of another tenant, and what they send along to be known."""

    client: AsyncClient
    headers: Mapping[str, str]
    csrf: str = ""

    async def call(self, method: str, path: str, body: object) -> Response:
        if path.startswith("/api/") or path == "/metrics":
            return await self.client.request(method, path, json=body, headers=dict(self.headers))
        form = {"csrf": self.csrf, "choice": "approve", "reason": "x", "item": "x"}
        data = form if method == "POST" else None
        return await self.client.request(method, path, data=data, headers=dict(self.headers))


@pytest.fixture
async def ours(desk: Desk) -> Ours:
    """A row of every kind, each with the canary in it."""
    known = await desk.key()
    details = {"order": CANARY, "amount": "1"}
    asked = await known.post("/api/approvals", {**ASKED, "title": CANARY, "details": details})
    key = await known.post("/api/keys", {"name": CANARY, "scopes": ["read"]})
    case = await known.post("/api/cases", {"title": CANARY, "outcomes": [CANARY, "no"]})
    signal = {"source": CANARY, "outcome": CANARY, "meta": {"order": CANARY}}
    await known.post(f"/api/cases/{case.json()['id']}/signals", signal)
    claim = {"request_id": CANARY, "action": CANARY, "payload": {"order": CANARY}}
    receipt = await known.post("/api/receipts", claim)
    written = f"name: canary\ndescription: {CANARY}\nsteps: [{{name: a, type: checkpoint}}]"
    await known.post("/api/definitions", {"source": written})
    limit = {"scope": f"workflow:{CANARY}", "limit": {"usd": "1.00"}}
    budget = await known.post("/api/budgets", limit)
    await known.post("/api/holds", {"scope": "person:ana", "reason": CANARY})
    halt = {"action": "engage", "scope": "workflow:tests.pay", "reason": CANARY}
    await known.post("/api/kill-switch", halt)
    await known.post("/api/runs", {"workflow": "tests.pay", "input": {"order": CANARY}})
    database = desk.application.database.of(DEFAULT_TENANT)

    def rest(tx: Transaction) -> str:
        told = Notice(event="canary", title=CANARY, text=CANARY, path="/")
        notices.tell_person(tx, DEFAULT_TENANT, ANA, told)
        return stored.put(tx, DEFAULT_TENANT, CANARY.encode(), "text/plain")

    artifact = await database.write(rest)
    outbox = await known.get("/api/outbox")
    return Ours(
        approval=asked.json()["id"],
        run=asked.json()["run"],
        key=key.json()["id"],
        delivery=outbox.json()["deliveries"][0]["id"],
        artifact=artifact,
        case=case.json()["id"],
        receipt=receipt.json()["receipt"]["execution_id"],
        budget=budget.json()["id"],
    )


@pytest.fixture
async def intruders(desk: Desk, ours: Ours) -> list[Intruder]:
    """An agent, an operator at a terminal and in a browser, and this machine's terminal: all of acme."""
    key, bearer, cookie = await desk.application.database.write(acme)
    base = {"accept": "application/json"}
    secret = desk.application.tokens.hashed("csrf", cookie)
    browser = {**base, "cookie": f"signoff={cookie}", "origin": desk.application.base_url}
    made = [
        Intruder(client=desk.stranger, headers={**base, "authorization": f"Bearer {key}"}),
        Intruder(client=desk.stranger, headers={**base, "authorization": f"Bearer {bearer}"}),
        Intruder(client=desk.stranger, headers=browser, csrf=secret),
        Intruder(client=desk.local, headers={**base, "signoff-tenant": ACME}),
    ]
    # Where the database keeps tenants apart as well, one of them finds out whether it does.
    return made if isinstance(desk.application.database, SqliteDatabase) else made[:1]


def acme(tx: Transaction) -> tuple[str, str, str]:
    """The other tenant; gives a key of every scope, a terminal's session and a browser's."""
    tenants.create(tx, ACME, name="Acme", by="tests")
    tx.act_for(ACME)
    configuration.apply(tx, ACME, THEIRS)
    new = NewKey(name="agent", scopes=tuple(Scope))
    _row, key = keys.create(tx, ACME, new, by="tests")
    terminal = sign_ins.begin_terminal(tx, "eve@acme.example", homes=[ACME])
    assert terminal.link is not None
    sign_ins.confirm(tx, terminal.link.token)
    at_terminal = sign_ins.poll_terminal(tx, terminal.device_secret)
    link = sign_ins.ask_link(tx, ACME, "eve@acme.example")
    assert link is not None
    in_browser = sign_ins.confirm(tx, link.token)
    assert at_terminal is not None
    assert in_browser is not None
    return key, at_terminal.token, in_browser.token


async def test_no_route_gives_or_changes_anything_of_another_tenant(
    app: FastAPI, desk: Desk, ours: Ours, intruders: list[Intruder]
) -> None:
    before = await desk.application.database.read(everything)
    wrong: list[tuple[str, str, int, int]] = []

    doors = sorted(each for each in routes(app) if not each[1].startswith(BY_SECRET))
    for method, path in doors:
        if (method, path) in {ENDLESS, *OWN}:
            continue
        for number, intruder in enumerate(intruders):
            body = NEEDS.get((method, path), (None, {"choice": "approve", "version": 1}))[1]
            why = "?reason=x" if method == "DELETE" else ""
            answer = await intruder.call(method, aimed(path, ours) + why, body)
            refused = answer.status_code in {403, 404} or led_away(answer)
            if CANARY in answer.text or ("{" in path and not refused):
                wrong.append((method, path, number, answer.status_code))

    assert wrong == []
    assert await desk.application.database.read(everything) == before


async def test_nothing_of_another_tenant_is_named_in_a_body_or_a_query(
    desk: Desk, ours: Ours, intruders: list[Intruder]
) -> None:
    before = await desk.application.database.read(everything)
    wrong: list[tuple[str, object, int, int]] = []

    for path, body in named_elsewhere(ours):
        for number, intruder in enumerate(intruders):
            method = "GET" if body is None else "POST"
            answer = await intruder.call(method, path, body)
            unknown = {200} if body is None else {404, 409, 422}
            if CANARY in answer.text or answer.status_code not in unknown | {403}:
                wrong.append((path, body, number, answer.status_code))

    assert wrong == []
    assert await desk.application.database.read(everything) == before


def named_elsewhere(ours: Ours) -> list[tuple[str, Mapping[str, Any] | None]]:
    """Everything that names something of `ours`, outside the path: bodies, and queries without one."""
    why = {"reason": "x"}
    claim = {"request_id": "x", "action": "x", "payload": {}}
    switch = {**why, "action": "engage"}
    bodies: list[tuple[str, Mapping[str, Any]]] = [
        ("/api/receipts", {**claim, "requires": ours.approval}),
        ("/api/receipts", {**claim, "requires": ours.case, "outcome": CANARY}),
        ("/api/kill-switch", {**switch, "scope": f"run:{ours.run}"}),
        ("/api/kill-switch", {**switch, "scope": f"agent:{ours.key}"}),
        ("/api/kill-switch", {**switch, "scope": "everything"}),
        ("/api/kill-switch", {**why, "action": "release", "scope": "workflow:tests.pay"}),
        ("/api/holds", {**why, "scope": f"run:{ours.run}"}),
        ("/api/holds", {**why, "scope": "person:ana"}),
        ("/api/holds/release", {**why, "scope": "person:ana"}),
        ("/api/outbox/redrive", {"delivery": ours.delivery}),
        ("/api/approvals", {**ASKED, "approvers": "person:ana", "quorum": 1}),
        ("/api/approvals", {**ASKED, "requester": "person:ana", "quorum": 1}),
        ("/api/cases", {"title": "x", "approvers": "person:ana"}),
        ("/api/keys", {"name": "x", "scopes": ["read"], "owner": "ana"}),
        ("/api/runs", {"workflow": "canary", "input": {}}),
    ]
    queries = [
        f"/api/{what}?cursor={id}"
        for what, id in (("runs", ours.run), ("approvals", ours.approval), ("cases", ours.case),
                         ("receipts", ours.receipt), ("outbox", ours.delivery))
    ]  # fmt: skip
    queries += ["/api/approvals?approver=person:ana", f"/api/approvals?q={CANARY}"]
    return [*bodies, *((query, None) for query in queries)]


async def test_a_stream_of_another_tenants_run_is_not_there(
    ours: Ours, intruders: list[Intruder]
) -> None:
    for intruder in intruders:
        for query in (f"run={ours.run}", f"approval={ours.approval}"):
            answer = await intruder.call("GET", f"/api/events?{query}", None)
            assert answer.status_code == 404


async def test_without_a_tenant_or_with_two_nothing_is_answered(
    app: FastAPI, desk: Desk, intruders: list[Intruder]
) -> None:
    key = intruders[0].headers["authorization"]
    twice = [("authorization", key), ("signoff-tenant", "acme"), ("signoff-tenant", "acme")]
    other = [("authorization", key), ("signoff-tenant", "default")]

    for method, path in sorted(NEEDS.keys() - {("GET", "/metrics")}):
        unsaid = await desk.local.request(method, path, json=NEEDS[method, path][1])
        contradicted = await desk.stranger.request(method, path, headers=other)
        doubled = await desk.stranger.request(method, path, headers=twice)

        answers = [
            (each.status_code, each.json()["code"]) for each in (unsaid, contradicted, doubled)
        ]
        assert answers == [(400, "tenant_required"), *[(400, "tenant_contradicted")] * 2], path


async def test_with_one_tenant_nobody_needs_to_say_which(desk: Desk) -> None:
    answer = await desk.local.get("/api/me")

    assert (answer.status_code, answer.json()["tenant"]) == (200, "default")


async def test_a_tenant_that_is_not_here_is_named_and_the_others_with_it(desk: Desk) -> None:
    await desk.application.database.write(acme)

    answer = await desk.local.get("/api/runs", headers={"signoff-tenant": "acm"})

    assert (answer.status_code, answer.json()["code"]) == (400, "unknown_tenant")
    assert "acme, default" in answer.json()["detail"]


def aimed(path: str, ours: Ours) -> str:
    """The path with the other tenant's own names in it."""
    ids: Mapping[str, Any] = {
        "/api/runs": ours.run,
        "/runs": ours.run,
        "/api/keys": ours.key,
        "/api/cases": ours.case,
        "/cases": ours.case,
        "/outbox": ours.delivery,
        "/api/receipts": ours.receipt,
        "/api/budgets": ours.budget,
        "/api/definitions/{id}": "canary",
        "/definitions": "canary",
        "/api/tenants": "default",
        "/api/people": "ana",
    }
    known = next((id for start, id in ids.items() if path.startswith(start)), ours.approval)
    named = path.replace("{id}", known).replace("{address}", ours.artifact)
    asked = {"diff": "?from=start&to=start", "snapshot": "?name=start"}
    named += next((query for end, query in asked.items() if path.endswith(end)), "")
    return named.replace("{verb}", "cancel")


def led_away(answer: Response) -> bool:
    """Whether a page leads elsewhere: to sign in, or back to the list with a word of what was not done."""
    path = str(answer.request.url.path)
    return answer.status_code == 303 and not path.startswith("/api/")


def everything(tx: Transaction) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of the tenant that is looked for."""
    tx.act_for(DEFAULT_TENANT)
    return {
        table.name: sorted(
            tuple(map(repr, row))
            for row in tx.connection.execute(select(table).where(table.c.tenant == DEFAULT_TENANT))
        )
        for table in metadata.sorted_tables
        if "tenant" in table.c
    }
