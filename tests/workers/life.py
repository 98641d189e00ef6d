"""One life of a worker, in a process of its own, until it is told to stop, killed, or ended by a run."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path

import structlog

import engine
from engine.clock import SystemClock
from engine.ids import SystemIds, WorkerId
from engine.runtime.executor import Executor
from engine.runtime.pace import Pace
from engine.runtime.worker import Worker
from engine.runtime.workflows import Workflows
from engine.services import tending
from engine.store.database import Database
from engine.store.postgres import Surroundings, Width, opened_on
from engine.store.sqlite import opened
from engine.tokens import Tokens
from signoff.registry import registered
from tests.workers import flows

SECRET = b"a secret of at least 32 bytes for tests"
FLOWS = flows.__name__


@dataclass(frozen=True, kw_only=True)
class Place:
    """A database that workers share: a PostgreSQL, or a file that one has after the other."""

    where: str
    lease_for: timedelta = timedelta(seconds=2)
    alone_for: timedelta = timedelta(seconds=5)
    stopped_after: timedelta = timedelta(seconds=20)

    @property
    def is_shared(self) -> bool:
        return "://" in self.where

    @asynccontextmanager
    async def opened(self) -> AsyncGenerator[Database]:
        """The database, as one process has it."""
        ids, tokens = SystemIds(), Tokens(SECRET)
        if self.is_shared:
            around = Surroundings(ids=ids, tokens=tokens)
            async with opened_on(self.where, around, width=Width(writers=6, readers=2)) as shared:
                yield shared
            return
        clock = SystemClock()
        async with opened(Path(self.where), clock=clock, ids=ids, tokens=tokens) as own:
            await own.write(tending.free_all)
            yield own

    def worker(self, database: Database) -> Worker:
        """A worker that knows this folder's workflows, and looks often."""
        workflows = Workflows(dict(registered()))
        executor = Executor(database, workflows, SystemClock(), SystemIds())
        pace = Pace(
            lease_for=self.lease_for,
            poll_every=timedelta(milliseconds=50),
            alone_for=self.alone_for,
        )
        name = WorkerId(SystemIds().new("wrk"))
        return Worker(name, database, executor, workflows.pins, pace=pace)


def live(place: Place, ready: Connection) -> None:
    """Work until SIGTERM."""
    structlog.configure(processors=[_unsaid])
    asyncio.run(_live(place, lambda: ready.send("alive")))


async def _live(place: Place, tell: Callable[[], None]) -> None:
    async with place.opened() as database, asyncio.TaskGroup() as group:
        worker, told = place.worker(database), asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told.set)
        working = group.create_task(worker.work())
        tell()
        await told.wait()
        worker.stop()
        await asyncio.wait({working}, timeout=place.stopped_after.total_seconds())
        working.cancel()
    os._exit(0)  # as `signoff worker` does: a thread that runs a step cannot be stopped


def _unsaid(*_line: object) -> str:
    raise structlog.DropEvent


def _tell() -> None:
    # Whose code it is, too: another version's is started from another folder.
    sys.stdout.write(f"alive {Path(engine.__file__).parents[1]}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    structlog.configure(processors=[_unsaid])
    asyncio.run(_live(Place(where=sys.argv[1]), _tell))
