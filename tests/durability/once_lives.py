"""Short lives of processes that make an effect once, and are killed where it hurts."""

import asyncio
import os
import signal
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final, Literal

import structlog
from typing_extensions import override

from engine.clock import Clock, SystemClock
from engine.ids import DEFAULT_TENANT, SystemIds, WorkerId
from engine.runtime.executor import Executor
from engine.runtime.once import OwnLedger, receipts_in
from engine.runtime.worker import Worker
from engine.runtime.workflows import Workflows
from engine.services import permits
from engine.services.permits import Spending
from engine.store.database import Database
from engine.store.postgres import Surroundings, Width, opened_on
from engine.store.sqlite import opened
from engine.tokens import Tokens
from signoff import Client, Run, workflow
from signoff.effects import Absent, Present
from signoff.receipts import Asking, ClaimAnswer, Receipt, Receipts
from signoff.registry import registered

Point = Literal["before claim", "before effect", "after effect", "after commit"]

SECRET: Final = b"a secret of at least 32 bytes for tests"
FILE: Final = "signoff.db"
LEASE: Final = timedelta(seconds=30)
LANES: Final = 16


def die() -> None:
    """As the kernel, the power or an operator would have it: nothing more is done."""
    os.kill(os.getpid(), signal.SIGKILL)


def effects(folder: Path) -> list[str]:
    """What happened outside, in order."""
    path = folder / "effects"
    return path.read_text().split() if path.exists() else []


def effect(folder: Path) -> str:
    """Something that happens outside, and stays."""
    with (folder / "effects").open("a") as file:
        file.write("made\n")
        file.flush()
        os.fsync(file.fileno())
    return "made"


def look(folder: Path) -> Present | Absent:
    """Whether it is there, truly."""
    return Present("found") if effects(folder) else Absent()


def look_at(folder: Path, *_receipt: object) -> Present | Absent:
    """As `look`, for whoever says what it is about."""
    return look(folder)


class Doomed(OwnLedger):
    """A ledger whose process dies before it claims, or once it has settled."""

    def __init__(self, database: Database, point: Point) -> None:
        super().__init__(database, DEFAULT_TENANT, "worker:doomed")
        self._point = point

    @override
    async def claim(self, asking: Asking) -> ClaimAnswer:
        if self._point == "before claim":
            die()
        return await super().claim(asking)

    @override
    async def settle(self, receipt: Receipt, ending: Mapping[str, object]) -> Receipt:
        settled = await super().settle(receipt, ending)
        if self._point == "after commit":
            die()
        return settled


def deadly(folder: Path, point: Point) -> str:
    """The effect, in which the process dies."""
    if point == "before effect":
        die()
    result = effect(folder)
    if point == "after effect":
        die()
    return result


def die_making(folder: Path, point: Point) -> None:
    """Make the effect once, and die at `point`."""

    async def make() -> None:
        async with on_file(folder, SystemClock()) as database:
            ledger = Receipts(Doomed(database, point))
            await ledger.once(
                "order-17", "refund", None, partial(deadly, folder, point), lease=LEASE
            )

    asyncio.run(make())


def die_among(folder: Path, ids: int, last: int) -> None:
    """Make many effects at once, each under its own request id, and die with the `last` of them."""

    async def make() -> None:
        async with on_file(folder, SystemClock()) as database:
            ledger = receipts_in(database, DEFAULT_TENANT, by="worker:doomed")
            await make_many(ledger, folder, ids, last=last)

    asyncio.run(make())


async def make_many(
    ledger: Receipts, folder: Path, ids: int, *, last: int | None = None
) -> list[str]:
    """Make effects under the request ids `0` and so on, sixteen at a time; gives what became of each."""
    reasons: dict[int, str] = {}

    def made(number: int) -> int:
        with (folder / "effects").open("a") as file:
            file.write(f"{number}\n")
        if last is not None and len(effects(folder)) >= last:
            die()
        return number

    async def lane(numbers: range) -> None:
        for number in numbers:
            effect = partial(made, number)
            done = await ledger.once(str(number), "refund", None, effect, lease=LEASE)
            reasons[number] = done.reason

    async with asyncio.TaskGroup() as group:
        for first in range(LANES):
            group.create_task(lane(range(first, ids, LANES)))
    return [reasons[number] for number in range(ids)]


def die_making_on_postgres(url: str, folder: Path, point: Point) -> None:
    """As `die_making`, on a database that others use."""

    async def make() -> None:
        around = Surroundings(ids=SystemIds(), tokens=Tokens(SECRET))
        async with opened_on(url, around, width=Width(writers=1, readers=1)) as database:
            ledger = Receipts(Doomed(database, point))
            await ledger.once(
                "order-17", "refund", None, partial(deadly, folder, point), lease=LEASE
            )

    asyncio.run(make())


def on_file(folder: Path, clock: Clock) -> AbstractAsyncContextManager[Database]:
    """The file in `folder`, as its one owner has it."""
    return opened(folder / FILE, clock=clock, ids=SystemIds(), tokens=Tokens(SECRET))


def die_driving(folder: Path) -> None:
    """Drive the run that is ready in the file, until it dies in its irreversible step."""
    structlog.configure(processors=[_unsaid])

    async def drive() -> None:
        async with on_file(folder, SystemClock()) as database:
            await driver(database, SystemClock()).drain()

    asyncio.run(drive())


def driver(database: Database, clock: Clock) -> Worker:
    """A worker that knows `fire_once`."""
    workflows = Workflows({"fire_once": registered()["fire_once"]})
    executor = Executor(database, workflows, clock, SystemIds())
    return Worker(WorkerId("worker-1"), database, executor, workflows.pins)


def fire(folder: str, deadly: bool) -> str:
    """Have an effect, and die before anybody hears of it."""
    made = effect(Path(folder))
    if deadly and len(effects(Path(folder))) == 1:
        die()
    return made


def look_for(_request_id: str, folder: str, _deadly: bool) -> Present | Absent:
    """The step's probe."""
    return look(Path(folder))


@workflow
async def fire_once(run: Run, folder: str, probes: bool) -> str:
    """One irreversible step."""
    probe = look_for if probes else None
    return await run.step(fire, folder, True, irreversible=True, probe=probe)


def make_on_postgres(url: str, folder: Path, told: Connection) -> None:
    """Make the effect once on a database that others use, and tell the reason."""

    async def make() -> str:
        around = Surroundings(ids=SystemIds(), tokens=Tokens(SECRET))
        async with opened_on(url, around, width=Width(writers=1, readers=1)) as database:
            ledger = receipts_in(database, DEFAULT_TENANT, by="worker:crowd")
            made = await ledger.once("order-17", "refund", None, partial(effect, folder))
            return made.reason

    structlog.configure(processors=[_unsaid])
    told.send(asyncio.run(make()))


def spend_on_postgres(url: str, permit: str, told: Connection) -> None:
    """Spend a permit on a database that others use, as somebody of one's own, and tell what came of it."""

    async def spend() -> str:
        around = Surroundings(ids=SystemIds(), tokens=Tokens(SECRET))
        spending = Spending(
            token=permit, spend_id=str(os.getpid()), audience="bank", action="refund",
            payload=None, by=f"key:{os.getpid()}",
        )  # fmt: skip
        async with opened_on(url, around, width=Width(writers=1, readers=1)) as database:
            ours = database.of(DEFAULT_TENANT)
            spent = await ours.write(lambda tx: permits.spend(tx, DEFAULT_TENANT, spending))
        return "spent" if spent.refusal is None else spent.refusal.code

    structlog.configure(processors=[_unsaid])
    told.send(asyncio.run(spend()))


def make_over_http(url: str, key: str, folder: Path, told: Connection) -> None:
    """Make the effect once through a server, and tell the reason."""
    told.send(asyncio.run(once_over_http(url, key, folder)))


async def once_over_http(url: str, key: str, folder: Path) -> str:
    """Make the effect once through a server."""
    async with Client(url, key) as client:
        made = await client.receipts.once("order-17", "refund", None, partial(effect, folder))
    return made.reason


def _unsaid(*_line: object) -> str:
    raise structlog.DropEvent
