"""Machines whose clocks are ten minutes off share one PostgreSQL: its clock judges, nothing is early or late."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert
from structlog.testing import capture_logs

from bot.doctor import examine
from bot.findings import Level
from bot.web.pages.stamps import is_stamped, stamp
from bot.wiring import Running, running
from engine.clock import Clock, SystemClock, from_iso
from engine.ids import DEFAULT_TENANT, RunId, WorkerId
from engine.rules.states import RunStatus
from engine.services import approvals, driving, rungs, runs
from engine.services.approvals import Request
from engine.store import journal
from engine.store.database import Transaction
from engine.store.runs import NewRun
from engine.store.shared_clock import SharedClock
from engine.store.tables import meta
from signoff import Run, workflow
from signoff.registry import registered
from tests.postgres.test_roles import settings

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]

OFF = timedelta(minutes=10)
NAP = timedelta(seconds=1)
CLOSE = timedelta(seconds=5)
SOON = timedelta(seconds=60)
BRIEFLY = timedelta(milliseconds=50)
RUN = RunId("run_1")


@workflow
async def short_nap(run: Run) -> str:
    """Sleep a second."""
    await run.sleep(NAP)
    return "rested"


@dataclass(frozen=True)
class WrongClock:
    """A machine's clock that is ahead by so much."""

    ahead: timedelta

    def now(self) -> datetime:
        return SystemClock().now() + self.ahead

    async def sleep_until(self, moment: datetime) -> None:
        await self.sleep(moment - self.now())

    async def sleep(self, duration: timedelta) -> None:
        await SystemClock().sleep(duration)


@pytest.fixture
async def both(tmp_path: Path, url: str) -> AsyncGenerator[tuple[Running, Running]]:
    """Two machines: one is ten minutes ahead, the other as much behind."""
    given, flows = settings(tmp_path, url), {"short_nap": registered()["short_nap"]}
    async with AsyncExitStack() as stack:
        ahead, behind = [
            await stack.enter_async_context(running(given, clock=WrongClock(off), authored=flows))
            for off in (OFF, -OFF)
        ]
        yield ahead, behind


async def begun(it: Running) -> None:
    new = NewRun(
        id=RUN, tenant=DEFAULT_TENANT, workflow="short_nap", version="1", input={},
        started_by="local",
    )  # fmt: skip
    await it.application.database.write(lambda tx: runs.start(tx, new))


async def seen(it: Running) -> runs.RunPicture:
    return await it.application.database.read(lambda tx: runs.picture(tx, DEFAULT_TENANT, RUN))


async def held(it: Running, worker: str) -> int:
    claims = await it.application.database.write(
        lambda tx: driving.claim(
            tx,
            worker=WorkerId(worker),
            workflows=["short_nap@1"],
            lease_for=timedelta(seconds=30),
            limit=5,
        )
    )
    return len(claims)


async def asked(it: Running) -> RunId:
    request = Request(
        title="Pay?", action="pay", approvers="group:finance", ladder=["reject after 5m"]
    )
    opened = await it.application.database.write(
        lambda tx: approvals.ask(tx, DEFAULT_TENANT, request, started_by="local", owner=None)
    )
    return opened.run


class Turned:
    """Sets the database's clock."""

    def __init__(self, by: str) -> None:
        self.by = by

    def __call__(self, tx: Transaction) -> None:
        tx.connection.execute(insert(meta).values(key="clock_offset", value=self.by))


async def test_a_lease_is_nobody_elses_whatever_the_machines_say(
    both: tuple[Running, Running],
) -> None:
    ahead, behind = both
    await begun(behind)

    assert [await held(behind, "behind"), await held(ahead, "ahead")] == [1, 0]


@pytest.mark.parametrize("which", [0, 1], ids=["ahead", "behind"])
async def test_a_nap_is_as_long_as_it_should_be(both: tuple[Running, Running], which: int) -> None:
    it = both[which]
    await begun(it)
    database = it.application.database

    async with asyncio.timeout(SOON.total_seconds()):
        with database.hints.listen(f"run:{RUN}") as ear:
            while (await seen(it)).row.status is not RunStatus.COMPLETED:
                await it.worker.drain()
                await ear.wait(BRIEFLY)
    began, ended = [
        entry
        for entry in await database.read(lambda tx: journal.entries(tx, RUN))
        if entry.kind.startswith("sleep.")
    ]

    assert abs(from_iso(str(began.data["until"])) - began.at - NAP) < CLOSE
    assert ended.at - began.at > NAP - BRIEFLY


async def test_a_deadline_of_five_minutes_is_neither_early_nor_never(
    both: tuple[Running, Running],
) -> None:
    ahead, behind = both
    await asked(ahead)
    await asked(behind)

    early = [await it.application.database.write(rungs.fire_due) for it in both]
    await behind.application.database.write(Turned("5 minutes 1 second"))
    due = await behind.application.database.write(rungs.fire_due)

    assert (early, due) == ([0, 0], 2)


async def test_what_one_machine_stamped_is_fresh_on_the_other(
    both: tuple[Running, Running],
) -> None:
    stamps = [
        (one, other, stamp(one.application, "form", "x")) for one, other in (both, both[::-1])
    ]

    assert all(
        is_stamped(other.application, "form", "x", stamped=made, within=CLOSE)
        for _one, other, made in stamps
    )


async def test_a_machine_that_is_off_says_so_when_it_starts(tmp_path: Path, url: str) -> None:
    given = settings(tmp_path, url)

    with capture_logs() as logs:
        for clock in (WrongClock(-OFF), SystemClock()):
            async with running(given, clock=clock, authored={}):
                pass

    told = [line["ahead_s"] for line in logs if line["event"] == "clock.differs"]
    assert told == [pytest.approx(-OFF.total_seconds(), abs=5)]


@pytest.mark.parametrize(
    ("clock", "level", "says"),
    [
        (SystemClock(), Level.OK, "agrees with the database's"),
        (WrongClock(OFF), Level.WARNING, "600 s ahead of the database's"),
        (WrongClock(-OFF), Level.WARNING, "600 s behind the database's"),
    ],
    ids=["right", "ahead", "behind"],
)
def test_the_doctor_tells_a_clock_that_is_off(
    tmp_path: Path, url: str, clock: Clock, level: Level, says: str
) -> None:
    findings = examine(settings(tmp_path, url), clock=clock, env_file=None)

    assert [found.level for found in findings if says in found.text] == [level]


def test_until_it_has_heard_of_the_database_it_says_what_the_machine_says() -> None:
    wrong = WrongClock(OFF)

    assert abs(SharedClock(wrong).now() - wrong.now()) < CLOSE
