"""Servers, workers and terminals on one PostgreSQL: whoever is free goes on, and nobody frees another's lease."""

import json
import signal
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from bot.settings import Settings
from bot.wiring import Running, running
from engine.ids import DEFAULT_TENANT, PersonId, RunId, WorkerId
from engine.rules.tally import Choice
from engine.services import approvals, driving, runs, votes
from engine.services.approvals import Request
from engine.services.votes import Ballot
from engine.store.routings import channels
from engine.store.runs import NewRun
from tests.cli.ground import CONFIGURATION, SECONDS_MAX, Shop, new_shop, served

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]

KEY = "0123456789abcdef" * 4
RUN = RunId("run_1")


def settings(folder: Path, url: str) -> Settings:
    file = folder / "signoff.toml"
    file.write_text(CONFIGURATION, encoding="utf-8")
    return Settings(database_url=url, secret_key=KEY, config=file)


def shop_on(folder: Path, url: str) -> Shop:
    return new_shop(folder, SIGNOFF_DATABASE_URL=url, SIGNOFF_SECRET_KEY=KEY)


def test_a_worker_beside_a_file_is_refused(tmp_path: Path) -> None:
    said = new_shop(tmp_path).says("worker")

    assert said.code != 0
    assert "a SQLite file has one owner" in said.err


def test_without_the_shared_secret_nothing_starts(tmp_path: Path, url: str) -> None:
    said = new_shop(tmp_path, SIGNOFF_DATABASE_URL=url).says("worker")

    assert said.code != 0
    assert "SIGNOFF_SECRET_KEY is not set" in said.err


async def begun(it: Running) -> None:
    new = NewRun(
        id=RUN, tenant=DEFAULT_TENANT, workflow="greet", version="1", input={}, started_by="local"
    )
    await it.application.database.of(DEFAULT_TENANT).write(lambda tx: runs.start(tx, new))


async def test_a_start_frees_no_lease_of_others(tmp_path: Path, url: str) -> None:
    given = settings(tmp_path, url)

    async def claimed(it: Running, worker: str) -> int:
        claims = await it.application.database.write(
            lambda tx: driving.claim(
                tx,
                worker=WorkerId(worker),
                workflows=["greet@1"],
                lease_for=timedelta(minutes=1),
                limit=5,
            )
        )
        return len(claims)

    async with running(given, authored={}) as first:
        await begun(first)
        held = await claimed(first, "first")
        async with running(given, authored={}) as second:
            assert (held, await claimed(second, "second")) == (1, 0)


async def test_a_terminal_leaves_people_and_channels_alone(tmp_path: Path, url: str) -> None:
    given = settings(tmp_path, url)
    async with running(given, authored={}) as server:
        before = await server.application.database.read(channels)

    async with running(given, authored={}, prepares=False) as terminal:
        after = await terminal.application.database.read(channels)

    assert after == before != frozenset()


def test_servers_workers_and_terminals_share_it(tmp_path: Path, url: str) -> None:
    shop = shop_on(tmp_path, url)
    with served(shop):
        worker = shop.begin("worker", "--workflows", "shop", "--json")
        assert worker.stdout is not None
        told = json.loads(worker.stdout.readline())

        said = shop.says(
            "run", "greet", "-i", "name=Ana", "--workflows", "shop", "--wait", "--json"
        )
        looked = shop.says("doctor")
        worker.send_signal(signal.SIGTERM)
        worker.communicate(timeout=SECONDS_MAX)

    assert "PostgreSQL at" in told["database"]
    assert said.json["result"] == "hello Ana"
    assert "its schema is" in looked.out
    assert KEY not in looked.out
    assert worker.returncode == 0


async def test_what_one_opened_another_decides_and_a_third_goes_on_with(
    tmp_path: Path, url: str
) -> None:
    given = settings(tmp_path, url)
    request = Request(title="Pay?", action="pay", approvers="group:finance")
    async with AsyncExitStack() as stack:
        opener, decider, driver = [
            await stack.enter_async_context(running(given, authored={})) for _ in range(3)
        ]
        opened = await opener.application.database.of(DEFAULT_TENANT).write(
            lambda tx: approvals.ask(tx, DEFAULT_TENANT, request, started_by="local", owner=None)
        )
        ballot = Ballot(
            tenant=DEFAULT_TENANT, approval=opened.id, person=PersonId("ana"), choice=Choice.APPROVE,
            channel="web", identified_by="session",
        )  # fmt: skip

        receipt = await votes.vote(decider.application.database, ballot)
        await driver.worker.drain()
        seen = await opener.application.database.of(DEFAULT_TENANT).read(
            lambda tx: runs.picture(tx, DEFAULT_TENANT, opened.run)
        )

    assert receipt.status == "approved"
    assert seen.row.status == "completed"
