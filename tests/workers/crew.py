"""A crew of workers as processes, and what their runs came to."""

import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import wait
from multiprocessing.context import ForkServerContext, ForkServerProcess
from typing import TypeVar

from sqlalchemy import select

from engine.errors import Fault
from engine.ids import DEFAULT_TENANT, RunId, SystemIds
from engine.services import runs
from engine.store.database import Transaction
from engine.store.runs import NewRun
from engine.store.tables import journal
from engine.store.tables import runs as rows
from tests.workers.life import Place, live

T = TypeVar("T")

SECONDS_MAX = 60


def nursery() -> ForkServerContext:
    """Where workers begin: everything is imported once, and each is a fork of it."""
    context = get_context("forkserver")
    context.set_forkserver_preload(["tests.workers.life"])
    return context


@contextmanager
def at_work(context: ForkServerContext, place: Place) -> Generator[ForkServerProcess]:
    """A worker that has begun; what is left of it at the end of the block is killed."""
    ready, told = context.Pipe(duplex=False)
    process = context.Process(target=live, args=(place, told))
    process.start()
    told.close()
    try:
        if not ready.poll(SECONDS_MAX):
            raise Fault("A worker did not begin.")
        ready.recv()
        yield process
    finally:
        process.kill()
        process.join()
        process.close()
        ready.close()


def has_ended(process: ForkServerProcess, within_s: float) -> bool:
    """Whether `process` ends by itself soon."""
    return bool(wait([process.sentinel], timeout=within_s))


async def begun(
    place: Place, workflow: str, number: int, *, version: str = "1", **given: object
) -> list[RunId]:
    """Start `number` runs; nobody drives them yet."""
    wanted = [RunId(SystemIds().new("run")) for _ in range(number)]

    def deed(tx: Transaction) -> None:
        for run in wanted:
            runs.start(
                tx,
                NewRun(
                    id=run, tenant=DEFAULT_TENANT, workflow=workflow, version=version, input=given,
                    started_by="local",
                ),
            )  # fmt: skip

    await asked(place, deed)
    return wanted


async def asked(place: Place, deed: Callable[[Transaction], T]) -> T:
    """What the database answers to `deed`; a file must have no other owner meanwhile."""
    async with place.opened() as database:
        return await database.write(deed)


def standings(tx: Transaction) -> Counter[str]:
    """How many runs of each workflow stand where, as `wk_one completed`."""
    found = tx.connection.execute(select(rows.c.workflow, rows.c.status, rows.c.reason))
    return Counter(f"{row.workflow} {row.reason or row.status}" for row in found)


def holders(tx: Transaction) -> Counter[str]:
    """How many runs each worker holds."""
    found = tx.connection.execute(
        select(rows.c.lease_holder).where(rows.c.lease_token.is_not(None))
    )
    return Counter(row.lease_holder for row in found)


def kinds(tx: Transaction, run: RunId) -> Sequence[str]:
    """What the journal of `run` says happened, in order."""
    own = select(journal.c.kind).where(journal.c.run == run).order_by(journal.c.position)
    return [row.kind for row in tx.connection.execute(own)]


def verified(tx: Transaction, run: RunId) -> list[str]:
    """What is wrong with the journal of `run`."""
    return runs.verify(tx, DEFAULT_TENANT, run)


def moments() -> Iterator[float]:
    """Look again and again for a minute."""
    began = time.monotonic()
    while (passed := time.monotonic() - began) < SECONDS_MAX:
        yield passed
