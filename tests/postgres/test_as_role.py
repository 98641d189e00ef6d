"""As the role that owns nothing and sees one tenant at a time, everything goes as it does for whoever may do all."""

import asyncio
import base64
import re
from collections.abc import AsyncGenerator, Generator
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Final

import pytest
from sqlalchemy import Connection, event
from sqlalchemy.engine import Engine

from bot.demo.hooks.standin import HooksStandIn
from bot.demo.serving import served
from bot.settings import Settings
from bot.web.app import create_app
from bot.wiring import Running, running
from engine.clock import SystemClock
from engine.ids import DEFAULT_TENANT, SystemIds, TenantId
from engine.services import deliveries
from engine.store import runs
from engine.store.database import Transaction
from engine.store.tables import metadata
from signoff.registry import registered
from tests.api.desk import Desk, Known
from tests.engine import flows
from tests.fixtures import APP_ROLE, Postgres

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]

ACME: Final = TenantId("acme")
SECRETS: Final = ["whsec_" + base64.b64encode(bytes([seed]) * 32).decode() for seed in (1, 2)]
NAMED: Final = re.compile(r"(?:FROM|JOIN|INTO|UPDATE) (\w+)")
GUARDED: Final = {table.name for table in metadata.sorted_tables if "tenant" in table.c}
TURNED_BACK: Final = ["migrate", "deploy", "smoke", "undo smoke", "undo deploy", "undo migrate"]


def company(url: str, *, within: str = "") -> str:
    """Who is there, and the endpoint that hears of everything."""
    people = "".join(
        f'[{within}people.{id}]\nname = "{id.title()}"\nemail = "{id}@example.com"\n'
        for id in ("ana", "bo")
    )
    name, secret = ("erp-acme", SECRETS[1]) if within else ("erp", SECRETS[0])
    return (
        f'{people}[{within}groups.finance]\nmembers = ["ana", "bo"]\n'
        f'[{within}groups.release]\nmembers = ["ana"]\n'
        f'[{within}roles]\noperator = ["ana"]\n[{within}routes.default]\nwebhook = ["{name}"]\n'
        f'[{within}webhooks.{name}]\nurl = "{url}"\nsecrets = ["{secret}"]\n'
    )


@dataclass
class Watch:
    """Which tables of tenants were asked for while no deed had said whose it is: they show nothing then."""

    found: list[str] = field(default_factory=list[str])

    def heard(self, connection: Connection, statement: str) -> None:
        if "set_config('signoff.tenant'" in statement:
            connection.info["is_said"] = True
        elif connection.dialect.name == "postgresql" and not connection.info.get("is_said"):
            self.found += [statement for table in NAMED.findall(statement) if table in GUARDED]


@pytest.fixture
def watch() -> Generator[Watch]:
    kept = Watch()

    def heard(connection: Connection, _cursor: Any, statement: str, *_rest: Any) -> None:
        kept.heard(connection, statement)

    def begun(connection: Connection) -> None:
        connection.info.pop("is_said", None)

    event.listen(Engine, "begin", begun)
    event.listen(Engine, "before_cursor_execute", heard)
    yield kept
    event.remove(Engine, "before_cursor_execute", heard)
    event.remove(Engine, "begin", begun)


@dataclass(frozen=True, kw_only=True)
class House:
    """One Signoff on PostgreSQL, its doors, and what hears of everything that is sent."""

    it: Running
    desk: Desk
    hooks: HooksStandIn

    async def agent(self, tenant: TenantId) -> Known:
        """A key, as this machine's terminal makes one."""
        new = {"name": "agent", "scopes": ["read", "runs:start", "approvals:ask"]}
        made = await self.desk.local.post("/api/keys", json=new, headers={"signoff-tenant": tenant})
        return Known(client=self.desk.stranger, token=made.json()["key"])

    async def person(self, name: str, tenant: TenantId, said: pytest.CaptureFixture[str]) -> Known:
        """Somebody at a terminal, who opened the link that the server says where no mail is set up."""
        door, headers = self.desk.stranger, {"origin": self.it.application.base_url}
        body, only = {"email": f"{name}@example.com"}, {"signoff-tenant": tenant}
        asked = await door.post("/api/sign-ins", json=body, headers=only)
        [link] = re.findall(r"/sign-in/[A-Za-z0-9_-]+", said.readouterr().err)
        assert (await door.get(link)).status_code == 200
        assert (await door.post(link, headers=headers)).status_code == 200
        polled = await door.post("/api/sign-ins/poll", json={"device": asked.json()["device"]})
        return Known(client=door, token=polled.json()["token"])

    async def run(self, agent: Known, workflow: str, **given: object) -> str:
        """Start a run, and drive it as far as it goes."""
        begun = await agent.post("/api/runs", {"workflow": workflow, "input": given})
        await self.it.worker.drain()
        return str(begun.json()["status_url"])

    async def vote(self, person: Known, choice: str) -> str:
        """Answer what is open; gives what is said to that."""
        [row] = (await person.get("/api/approvals?status=open")).json()["approvals"]
        body = {"choice": choice, "comment": "Seen.", "digest": row["digest"]}
        answer = await person.post(f"/api/approvals/{row['id']}/votes", body)
        await self.it.worker.drain()
        return str(answer.json()["message"])


@pytest.fixture
async def house(postgres: Postgres, tmp_path: Path) -> AsyncGenerator[House]:
    hooks = HooksStandIn(SECRETS, clock=SystemClock(), ids=SystemIds())
    flows.LEDGER.clear()
    async with served(hooks.app) as at:
        hooks.at(at)
        theirs = company(hooks.url, within="tenants.acme.")
        config = tmp_path / "signoff.toml"
        config.write_text(f'{company(hooks.url)}[tenants.acme]\nname = "Acme"\n{theirs}')
        with postgres.fresh(role=APP_ROLE) as url:
            settings = Settings(
                database_url=url, secret_key="0123456789abcdef" * 4, config=config,
                webhook_allow_nets=(ip_network("127.0.0.0/8"),),
                callback_allow_nets=(ip_network("127.0.0.0/8"),),
            )  # fmt: skip
            async with (
                running(settings, authored=dict(registered())) as it,
                Desk.of(create_app(it.application), it.application) as desk,
            ):
                yield House(it=it, desk=desk, hooks=hooks)


def untried(tx: Transaction) -> int:
    """Claim all that is to be sent, and give it back at once."""
    taken = deliveries.claim(tx, "webhook", limit=99, lease_for=timedelta(minutes=5))
    deliveries.give_back(tx, taken)
    return len(taken)


async def test_a_deed_that_does_not_say_whose_it_is_is_noticed(house: House, watch: Watch) -> None:
    database = house.it.application.database

    await database.of(ACME).read(lambda tx: runs.counts(tx, ACME))
    before = list(watch.found)
    await database.read(lambda tx: runs.counts(tx, ACME))

    assert (before, len(watch.found)) == ([], 1)


async def test_what_is_given_back_untried_is_sent(house: House) -> None:
    for tenant in (DEFAULT_TENANT, ACME):
        await house.run(await house.agent(tenant), "paid-refund")

    given_back = await house.it.application.database.write(untried)
    await house.it.dispatcher.drain()

    assert given_back == len(house.hooks.received()) > 1


async def test_a_deed_is_approved_done_and_told(
    house: House, watch: Watch, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, tenant in enumerate((DEFAULT_TENANT, ACME), start=1):
        agent = await house.agent(tenant)
        ana, bo = [await house.person(name, tenant, capsys) for name in ("ana", "bo")]

        run = await house.run(agent, "paid-refund")
        said = [await house.vote(ana, "approve"), await house.vote(bo, "approve")]
        await house.it.dispatcher.drain()

        assert said[0] == "Recorded. 1 of 2 approvals."
        assert (await agent.get(run)).json()["status"] == "completed"
        assert len((await agent.get("/api/runs")).json()["runs"]) == 1
        assert flows.LEDGER.count("pay 10.00") == len(flows.LEDGER) == number
        assert len(house.hooks.received("approval.decided")) == number
        counts = (await agent.get("/api/stats")).json()["outbox"]
        assert (counts.get("pending", 0), counts.get("dead", 0)) == (0, 0)
    assert watch.found == []


async def test_what_is_rejected_is_undone(
    house: House, watch: Watch, capsys: pytest.CaptureFixture[str]
) -> None:
    agent, ana = await house.agent(ACME), await house.person("ana", ACME, capsys)

    run = await house.run(agent, "deploy")
    await house.vote(ana, "reject")
    async with asyncio.timeout(60):
        while (await agent.get(run)).json()["status"] == "rolling_back":
            await house.it.worker.drain()

    assert (await agent.get(run)).json()["status"] == "rolled_back"
    assert flows.LEDGER == TURNED_BACK
    assert watch.found == []


async def test_a_rung_fires_for_each_tenant(house: House, watch: Watch) -> None:
    agents = [await house.agent(tenant) for tenant in (DEFAULT_TENANT, ACME)]
    begun = [await house.run(each, "patient", rung="continue with {} after 1s") for each in agents]

    async with asyncio.timeout(60):
        for agent, run in zip(agents, begun, strict=True):
            while (await agent.get(run)).json()["status"] != "completed":
                await house.it.worker.drain()

    results = [
        (await agent.get(run)).json()["result"] for agent, run in zip(agents, begun, strict=True)
    ]
    assert [each["outcome"] for each in results] == ["continued"] * 2
    assert watch.found == []
