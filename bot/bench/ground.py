"""The engine under measurement: one database, one worker, and the moments it announces."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, MutableMapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import structlog

from bot.bench import flows
from engine.clock import SystemClock
from engine.ids import DEFAULT_TENANT, PersonId, RunId, SystemIds, WorkerId
from engine.rules.tally import Choice
from engine.runtime.executor import Executor
from engine.runtime.worker import Pace, Worker
from engine.runtime.workflows import Workflows
from engine.services import configuration, runs, tending, votes
from engine.services.configuration import Directory, ListedPerson
from engine.services.votes import Ballot
from engine.store.database import Database
from engine.store.runs import NewRun
from engine.store.sqlite import opened
from engine.tokens import Tokens
from signoff.registry import registered

WORKFLOW = "bench-gated"
VOTER = PersonId("bench")


class Moments:
    """Hears the engine's events, so that nothing is asked of the database while it is measured."""

    def __init__(self) -> None:
        self._heard: defaultdict[tuple[str, str], asyncio.Future[str]] = defaultdict(
            asyncio.get_running_loop().create_future
        )

    def hear(self, _logger: object, _method: str, event: MutableMapping[str, Any]) -> Any:
        """A structlog processor that keeps two kinds of event and prints nothing."""
        if event["event"] in {"approval.opened", "run.completed"}:
            future = self._heard[event["event"], event["run"]]
            if not future.done():
                future.set_result(event.get("approval", ""))
        raise structlog.DropEvent

    async def of(self, kind: str, run: RunId) -> str:
        """Wait for the event `kind` of `run`; gives the approval it speaks of."""
        return await self._heard[kind, run]

    def forget(self, run: RunId) -> None:
        """Keep nothing of a run that is done."""
        for kind in ("approval.opened", "run.completed"):
            self._heard.pop((kind, run), None)


class Ground:
    """What a measurement may do: start a run up to its approval, and decide one."""

    def __init__(self, database: Database, moments: Moments) -> None:
        self.database, self.moments = database, moments
        self._ids = SystemIds()

    async def start(self) -> tuple[RunId, str]:
        """Start a run and wait until it asks; gives the run and its approval."""
        run = RunId(self._ids.new("run"))
        new = NewRun(
            id=run,
            tenant=DEFAULT_TENANT,
            workflow=WORKFLOW,
            version="1",
            input={"number": 1},
            started_by="key:bench",
        )
        await self.database.write(lambda tx: runs.start(tx, new))
        return run, await self.moments.of("approval.opened", run)

    async def decide(self, run: RunId, approval: str) -> None:
        """Approve, and wait until the run is completed."""
        ballot = Ballot(
            tenant=DEFAULT_TENANT,
            approval=approval,
            person=VOTER,
            choice=Choice.APPROVE,
            channel="bench",
            identified_by="bench",
        )
        await votes.vote(self.database, ballot)
        await self.moments.of("run.completed", run)
        self.moments.forget(run)


@asynccontextmanager
async def ground(path: Path) -> AsyncGenerator[Ground]:
    """An engine on the SQLite file `path` with one worker at work."""
    moments = Moments()
    structlog.configure(processors=[moments.hear])
    clock, ids = SystemClock(), SystemIds()
    async with opened(path, clock=clock, ids=ids, tokens=Tokens(bytes(32))) as database:
        await database.write(tending.free_all)
        listed = Directory(people=(ListedPerson(id=VOTER, name="Bench"),))
        await database.write(lambda tx: configuration.apply(tx, DEFAULT_TENANT, listed))
        workflows = Workflows({WORKFLOW: registered()[WORKFLOW]})
        executor = Executor(database, workflows, clock, ids)
        worker = Worker(WorkerId("bench"), database, executor, workflows.names, pace=Pace())
        async with asyncio.TaskGroup() as group:
            working = group.create_task(worker.work())
            try:
                yield Ground(database, moments)
            finally:
                working.cancel()


__all__ = ["Ground", "flows", "ground"]
