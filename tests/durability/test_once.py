"""Killed (-9) anywhere, raced by threads and processes: an effect happens once, or nobody says it did."""

import asyncio
import multiprocessing
import shutil
import signal
from collections import Counter
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path

import pytest

from bot.application import Application
from bot.demo.serving import served
from bot.web.app import create_app
from engine.clock import SystemClock
from engine.ids import DEFAULT_TENANT, RunId, SystemIds
from engine.runtime.once import receipts_in
from engine.runtime.workflows import Workflows
from engine.services import claiming, keys, permits, runs, tending
from engine.services.claiming import Asked
from engine.services.keys import NewKey
from engine.services.permits import Wanted
from engine.store.database import Transaction
from engine.store.postgres import Surroundings, opened_on
from engine.store.runs import NewRun
from engine.tokens import Tokens
from tests.clock import ManualClock
from tests.durability import once_lives
from tests.durability.once_lives import LEASE, Point, effects, on_file
from tests.fixtures import Postgres

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

IDS = 1_000
WITHIN = 60.0  # seconds, however busy the machine is


@pytest.fixture(scope="module")
def nursery() -> ForkServerContext:
    """Where lives begin: everything is imported once, and each life is a fork of it."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.durability.once_lives"])
    return context


@pytest.fixture
def folder(migrated_file: Path, tmp_path: Path) -> Path:
    shutil.copyfile(migrated_file, tmp_path / once_lives.FILE)
    return tmp_path


async def killed(nursery: ForkServerContext, target: Callable[..., None], *args: object) -> bool:
    """Whether a process that does this was killed in it."""
    process = nursery.Process(target=target, args=args)
    process.start()
    await asyncio.to_thread(process.join, WITHIN)
    return process.exitcode == -signal.SIGKILL


@pytest.mark.parametrize("probe", ["truthful", "none"])
@pytest.mark.parametrize(
    ("point", "with_probe", "without"),
    [
        ("before claim", ("executed", 1), ("executed", 1)),
        ("before effect", ("executed", 1), ("unknown", 0)),
        ("after effect", ("found", 1), ("unknown", 1)),
        ("after commit", ("dedup_same_request_id", 1), ("dedup_same_request_id", 1)),
    ],
)
async def test_crash_matrix(
    nursery: ForkServerContext,
    folder: Path,
    point: Point,
    with_probe: tuple[str, int],
    without: tuple[str, int],
    probe: str,
) -> None:
    assert await killed(nursery, once_lives.die_making, folder, point)

    later = ManualClock(SystemClock().now() + LEASE + timedelta(seconds=1))
    async with on_file(folder, later) as database:
        ledger = receipts_in(database, DEFAULT_TENANT, by="worker:next")
        looking = partial(once_lives.look_at, folder) if probe == "truthful" else None
        made = await ledger.once(
            "order-17", "refund", None, partial(once_lives.effect, folder), probe=looking
        )

    expected = with_probe if probe == "truthful" else without
    assert (made.reason, len(effects(folder))) == expected


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("point", "expected"),
    [
        ("before effect", ("unknown", 0)),
        ("after effect", ("unknown", 1)),
        ("after commit", ("dedup_same_request_id", 1)),
    ],
)
async def test_killed_on_postgresql_it_is_done_once_or_nobody_says_so(
    nursery: ForkServerContext,
    postgres: Postgres,
    tmp_path: Path,
    point: Point,
    expected: tuple[str, int],
) -> None:
    with postgres.lent() as url:
        assert await killed(nursery, once_lives.die_making_on_postgres, url, tmp_path, point)

        later = ManualClock(SystemClock().now() + LEASE + timedelta(seconds=1))
        around = Surroundings(ids=SystemIds(), tokens=Tokens(once_lives.SECRET), clock=later)
        async with opened_on(url, around) as database:
            ledger = receipts_in(database, DEFAULT_TENANT, by="worker:next")
            made = await ledger.once(
                "order-17", "refund", None, partial(once_lives.effect, tmp_path)
            )

    assert (made.reason, len(effects(tmp_path))) == expected


async def test_of_a_thousand_request_ids_none_is_done_twice_by_whoever_comes_after_a_kill(
    nursery: ForkServerContext, folder: Path
) -> None:
    assert await killed(nursery, once_lives.die_among, folder, IDS, IDS // 2)

    later = ManualClock(SystemClock().now() + LEASE + timedelta(seconds=1))
    async with on_file(folder, later) as database:
        ledger = receipts_in(database, DEFAULT_TENANT, by="worker:next")
        reasons = Counter(await once_lives.make_many(ledger, folder, IDS))

    done = [int(number) for number in effects(folder)]
    assert len(done) == len(set(done))
    assert reasons.keys() == {"executed", "dedup_same_request_id", "unknown"}
    assert 0 < reasons["unknown"] <= once_lives.LANES
    assert IDS - reasons["unknown"] <= len(done) <= IDS


@pytest.mark.parametrize(("probes", "standing"), [(True, "completed"), (False, "waiting")])
async def test_a_step_whose_process_is_killed_is_not_repeated(
    nursery: ForkServerContext, folder: Path, probes: bool, standing: str
) -> None:
    new = NewRun(
        id=RunId("run_1"),
        tenant=DEFAULT_TENANT,
        workflow="fire_once",
        version="1",
        input={"folder": str(folder), "probes": probes},
        started_by="key:agent",
    )
    async with on_file(folder, SystemClock()) as database:
        await database.write(lambda tx: runs.start(tx, new))

    assert await killed(nursery, once_lives.die_driving, folder)

    async with on_file(folder, SystemClock()) as database:
        await database.write(tending.free_all)
        await once_lives.driver(database, SystemClock()).drain()
        row = await database.read(lambda tx: runs.find(tx, DEFAULT_TENANT, new.id))
    assert (row.status, row.reason) == (standing, None if probes else "reconcile")
    assert effects(folder) == ["made"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """A server's receipts: where, and with which key."""

    url: str
    key: str


@pytest.fixture
async def door(folder: Path) -> AsyncIterator[Door]:
    clock, ids = SystemClock(), SystemIds()
    async with on_file(folder, clock) as database:
        application = Application(
            base_url="http://127.0.0.1:8080",
            database=database,
            clock=clock,
            ids=ids,
            tokens=Tokens(once_lives.SECRET),
            workflows=Workflows({}),
        )
        new = NewKey(name="agent", scopes=["receipts"])
        _row, key = await database.write(lambda tx: keys.create(tx, DEFAULT_TENANT, new, by="test"))
        async with served(create_app(application)) as url:
            yield Door(url=url, key=key)


def one_made_it(reasons: list[str], folder: Path) -> bool:
    """Whether one of all who tried had the effect, and the others its receipt."""
    repeats = ["dedup_same_request_id"] * (len(reasons) - 1)
    return sorted(reasons) == [*repeats, "executed"] and effects(folder) == ["made"]


async def test_of_sixteen_threads_one_makes_it(door: Door, folder: Path) -> None:
    def attempt() -> str:
        return asyncio.run(once_lives.once_over_http(door.url, door.key, folder))

    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(16) as threads:
        tries = [loop.run_in_executor(threads, attempt) for _ in range(16)]
        reasons = await asyncio.gather(*tries)

    assert one_made_it(list(reasons), folder)


async def test_of_eight_processes_one_makes_it(
    nursery: ForkServerContext, door: Door, folder: Path
) -> None:
    given = (door.url, door.key, folder)

    assert one_made_it(await crowd(nursery, once_lives.make_over_http, given), folder)


@pytest.mark.postgres
async def test_of_eight_processes_on_postgresql_one_makes_it(
    nursery: ForkServerContext, postgres: Postgres, tmp_path: Path
) -> None:
    with postgres.fresh() as url:
        reasons = await crowd(nursery, once_lives.make_on_postgres, (url, tmp_path))

    assert one_made_it(reasons, tmp_path)


@pytest.mark.postgres
async def test_of_eight_processes_on_postgresql_one_spends_a_permit(
    nursery: ForkServerContext, postgres: Postgres
) -> None:
    asked = Asked(
        tenant=DEFAULT_TENANT, namespace="default", request_id="order-17", action="refund",
        payload=None, token="claimer", by="key:tools", lease_for=timedelta(minutes=5),
    )  # fmt: skip
    around = Surroundings(ids=SystemIds(), tokens=Tokens(once_lives.SECRET))

    def issued(tx: Transaction) -> str:
        row = claiming.claim(tx, asked).row
        wanted = Wanted(token=asked.token, audience="bank")
        return permits.issue(tx, DEFAULT_TENANT, row.execution if row else "", wanted).token

    with postgres.fresh() as url:
        async with opened_on(url, around) as database:
            permit = await database.of(DEFAULT_TENANT).write(issued)
            told = await crowd(nursery, once_lives.spend_on_postgres, (url, permit))

    assert sorted(told) == [*["permit_spent"] * 7, "spent"]


async def crowd(
    nursery: ForkServerContext, target: Callable[..., None], given: tuple[object, ...]
) -> list[str]:
    """What eight processes are told that do this at once."""
    lives: list[tuple[ForkServerProcess, Connection]] = []
    for _life in range(8):
        hears, tells = nursery.Pipe(duplex=False)
        process = nursery.Process(target=target, args=(*given, tells))
        process.start()
        tells.close()
        lives.append((process, hears))
    told: list[str] = []
    for process, hears in lives:
        if await asyncio.to_thread(hears.poll, WITHIN):
            told.append(hears.recv())
        hears.close()
        await asyncio.to_thread(process.join, WITHIN)
    return told
