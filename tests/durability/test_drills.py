"""A drill: the settings say where a process is to be killed (-9), or what is to break, and it is."""

import asyncio
import multiprocessing
import shutil
import signal
from datetime import timedelta
from pathlib import Path

import pytest

from bot.databases import database_of
from bot.settings import Settings
from engine import failpoints
from engine.clock import SystemClock
from engine.errors import Invalid, NotRecorded
from engine.failpoints import Boundary, Mode
from engine.ids import SystemIds
from engine.rules.states import RunStatus
from engine.store.database import Database
from engine.tokens import Tokens
from tests.clock import ManualClock
from tests.crossings import DEADLY, failing, started, survived
from tests.durability import drills
from tests.durability.drills import FILE, lived
from tests.durability.scene import SECRET
from tests.engine.stage import Stage
from tests.fixtures import Postgres

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

LEASE = timedelta(seconds=31)
WITHIN = 60.0  # seconds, however busy the machine is
DEEDS = ("runs.start", "driving.claim", "driving.begin", "approvals.open_for_run", "votes.cast")
QUICK = "driving.finish"


async def killed(folder: Path, url: str, orders: str) -> bool:
    """Whether a process that was told so was killed where the orders say."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.durability.drills"])
    process = context.Process(target=drills.live, args=(folder, url, orders))
    process.start()
    await asyncio.to_thread(process.join, WITHIN)
    return process.exitcode == -signal.SIGKILL


@pytest.mark.parametrize("mode", DEADLY)
@pytest.mark.parametrize("deed", [QUICK, *(pytest.param(d, marks=pytest.mark.slow) for d in DEEDS)])
async def test_killed_where_the_settings_say_another_process_goes_on(
    migrated_file: Path, tmp_path: Path, deed: str, mode: Mode
) -> None:
    url = f"sqlite:///{tmp_path / FILE}"
    shutil.copyfile(migrated_file, tmp_path / FILE)

    assert await killed(tmp_path, url, f"commit.sqlite/{deed}={mode}")
    assert await lived(tmp_path, url, life=1) == ["completed"]


@pytest.mark.postgres
@pytest.mark.parametrize("mode", DEADLY)
async def test_killed_at_a_commit_on_postgresql_another_process_goes_on(
    postgres: Postgres, tmp_path: Path, mode: Mode
) -> None:
    with postgres.fresh() as url:
        assert await killed(tmp_path, url, f"commit.postgres/{QUICK}={mode}")
        assert await lived(tmp_path, url, life=1) == ["completed"]


@pytest.mark.parametrize(
    "orders",
    ["commit.sqlite", "nowhere=crash", "commit.sqlite=explode", "commit.sqlite=crash@x", ""],
)
async def test_a_drill_that_cannot_be_read_arms_nothing(tmp_path: Path, orders: str) -> None:
    url = f"sqlite:///{tmp_path / FILE}"
    settings = Settings(database_url=url, failpoints=f"commit.sqlite=late,{orders}")

    with pytest.raises(Invalid, match="is no failpoint"):
        async with database_of(
            settings, clock=SystemClock(), ids=SystemIds(), tokens=Tokens(SECRET)
        ):
            pass

    assert not failpoints.is_armed()


def test_a_boundary_has_a_name_of_its_own() -> None:
    with pytest.raises(Invalid, match="two boundaries"):
        Boundary("step", breaks=OSError)


@pytest.mark.parametrize("database", ["sqlite", "postgres"], indirect=True)
@pytest.mark.parametrize("mode", [Mode.BROKEN, Mode.LOST])
async def test_whoever_is_not_answered_at_a_commit_hears_that_nobody_knows(
    database: Database, clock: ManualClock, mode: Mode
) -> None:
    stage = Stage(database, clock)
    await stage.prepare()
    run = await stage.start("deploy")

    orders = f"commit.sqlite/votes.cast={mode},commit.postgres/votes.cast={mode}"
    with failing(orders, clock), pytest.raises(NotRecorded):
        await stage.vote(run, "ana")
    votes = (await stage.picture(run)).approvals[-1].votes
    await stage.vote(run, "ana")

    assert len(votes) == (1 if mode is Mode.LOST else 0)
    assert (await stage.picture(run)).row.status is RunStatus.COMPLETED


@pytest.mark.parametrize("database", ["postgres"], indirect=True)
@pytest.mark.parametrize("mode", [mode for mode in Mode if mode not in DEADLY])
@pytest.mark.parametrize("deed", ["driving.begin", "approvals.open_for_run", "driving.finish"])
async def test_a_failure_at_a_commit_on_postgresql_changes_no_ending(
    database: Database, clock: ManualClock, deed: str, mode: Mode
) -> None:
    stage = Stage(database, clock)
    await stage.prepare()

    with failing(f"commit.postgres/{deed}={mode}:50ms", clock) as fault:
        run = await started(stage, "catching" if deed != "driving.begin" else "deploy")
        for _life in range(3):
            await survived(stage.worker().drain(), clock)
            await clock.advance(LEASE)
        await survived(stage.vote(run, "ana"), clock)
        for _life in range(3):
            await survived(stage.worker().drain(), clock)
            await clock.advance(LEASE)

    assert fault.seen > 0
    assert (await stage.picture(run)).row.status is RunStatus.COMPLETED
    assert await stage.is_sound(run)
