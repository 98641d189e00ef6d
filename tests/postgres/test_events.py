"""Streams of one server tell what another server took, whether or not they were woken."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.demo.serving import served
from bot.settings import Settings
from bot.web.app import create_app
from bot.wiring import Running, running
from engine.ids import DEFAULT_TENANT, PersonId, RunId, TenantId
from engine.rules.tally import Choice
from engine.services import approvals, keys, runs, votes
from engine.services.approvals import Request
from engine.services.keys import NewKey, Scope
from engine.services.votes import Ballot
from engine.store.approvals import ApprovalRow
from engine.store.database import Transaction
from engine.store.runs import NewRun
from tests.api.listening import listening
from tests.cli.ground import CONFIGURATION, new_shop
from tests.cli.ground import served as served_process

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]

KEY = "0123456789abcdef" * 4
HEARD = ["approval.updated", "approval.decided"]


@dataclass(frozen=True)
class Server:
    """A server of its own on the shared database, and its door."""

    url: str
    it: Running


@asynccontextmanager
async def server(folder: Path, url: str) -> AsyncGenerator[Server]:
    file = folder / "signoff.toml"
    file.write_text(CONFIGURATION, encoding="utf-8")
    given = Settings(database_url=url, secret_key=KEY, config=file)
    async with running(given, authored={}) as it:
        app = create_app(it.application)
        async with served(app) as door:
            yield Server(door, it)
            app.state.shared.streams.close()


async def reader(at: Server) -> str:
    new = NewKey(name="watcher", scopes=(Scope.READ,), owner=None)
    _, token = await at.it.application.database.of(DEFAULT_TENANT).write(
        lambda tx: keys.create(tx, DEFAULT_TENANT, new, by="tests")
    )
    return token


async def asked(at: Server) -> ApprovalRow:
    request = Request(title="Pay?", action="pay", approvers="group:finance", routes={})

    def deed(tx: Transaction) -> ApprovalRow:
        return approvals.ask(tx, DEFAULT_TENANT, request, started_by="local", owner=None)

    return await at.it.application.database.of(DEFAULT_TENANT).write(deed)


async def decided(at: Server, row: ApprovalRow) -> None:
    given = Ballot(
        tenant=DEFAULT_TENANT, approval=row.id, person=PersonId("ana"), choice=Choice.APPROVE,
        channel="web", identified_by="session",
    )  # fmt: skip
    await votes.vote(at.it.application.database, given)


async def test_a_vote_at_one_server_is_heard_at_another(tmp_path: Path, url: str) -> None:
    async with AsyncExitStack() as stack:
        here, there = [await stack.enter_async_context(server(tmp_path, url)) for _ in range(2)]
        token, row = await reader(here), await asked(here)
        streams = [
            await stack.enter_async_context(listening(there.url, token, **query))
            for query in ({}, {"run": row.run}, {"approval": row.id})
        ]
        for stream in streams:
            await stream.next()

        await decided(here, row)

        heard = [[each.type for each in await one.until("approval.decided")] for one in streams]
    assert [each[-2:] for each in heard] == [HEARD] * 3


async def test_what_was_missed_at_one_server_is_told_by_another(tmp_path: Path, url: str) -> None:
    async with AsyncExitStack() as stack:
        here, there = [await stack.enter_async_context(server(tmp_path, url)) for _ in range(2)]
        token, row = await reader(here), await asked(here)
        async with listening(here.url, token) as cut:
            last = (await cut.next()).id
        await decided(here, row)

        async with listening(there.url, token, last=last) as again:
            heard = [each.type for each in await again.until("approval.decided")]

    assert heard[0] == "ready"
    assert heard[-2:] == HEARD


async def test_another_tenants_news_stay_theirs(tmp_path: Path, url: str) -> None:
    new = NewRun(
        id=RunId("run_other"), tenant=TenantId("elsewhere"), workflow="w", version="1", input={},
        started_by="local",
    )  # fmt: skip
    async with server(tmp_path, url) as here:
        token, row = await reader(here), await asked(here)
        async with listening(here.url, token) as stream:
            await stream.next()

            theirs = here.it.application.database.of(new.tenant)
            await theirs.write(lambda tx: runs.start(tx, new))
            await decided(here, row)

            heard = await stream.until("approval.decided")
    assert {each.data["data"]["run"] for each in heard} == {row.run}


async def test_another_process_tells_of_it_too(tmp_path: Path, url: str) -> None:
    shop = new_shop(tmp_path, SIGNOFF_DATABASE_URL=url, SIGNOFF_SECRET_KEY=KEY)
    async with server(tmp_path, url) as here:
        token, row = await reader(here), await asked(here)
        with served_process(shop):
            async with listening(shop.url, token, approval=row.id) as stream:
                await stream.next()

                await decided(here, row)

                heard = [each.type for each in await stream.until("approval.decided")]
    assert heard == HEARD
