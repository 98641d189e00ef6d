"""The engine under measurement: one database, one worker, and the moments it announces."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator, MutableMapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final

import structlog

from bot.bench import flows
from bot.bench.place import Place
from bot.wiring import running
from engine.errors import EngineError
from engine.ids import DEFAULT_TENANT, PersonId, RunId, SystemIds
from engine.rules.tally import Choice
from engine.services import runs, votes
from engine.services.votes import Ballot
from engine.signing import Signer
from engine.store.database import Database
from engine.store.measuring import mark
from engine.store.runs import NewRun
from signoff.registry import registered

VOTER: Final = PersonId("bench")
OPENED: Final = "approval.opened"
ENDED: Final = ("run.completed", "run.failed", "run.rolled_back")

PATIENCE_S: Final = 120  # with one run; whatever takes longer has got lost

Elsewhere = Callable[[str, str, str], None]


class Moments:
    """Hears the engine's events, so that nothing is asked of the database while it is measured.

    What is heard of runs that nobody here waits for is handed to `elsewhere`: kind, run, approval.
    """

    def __init__(self) -> None:
        self._awaited: dict[tuple[str, str], asyncio.Future[str]] = {}
        self.elsewhere: Elsewhere | None = None

    def hear(self, _logger: object, _method: str, event: MutableMapping[str, Any]) -> Any:
        """A structlog processor that keeps what opens an approval or ends a run, and prints nothing."""
        kind = event["event"]
        if kind == OPENED:
            self._tell(OPENED, event["run"], event["approval"])
        elif kind in ENDED:
            self._tell("ended", event["run"], kind)
        raise structlog.DropEvent

    def told(self, kind: str, run: str, what: str) -> None:
        """What another process heard; it is handed on to nobody."""
        awaited = self._awaited.get((kind, run))
        if awaited is not None and not awaited.done():
            awaited.set_result(what)

    def expect(self, run: str) -> None:
        """Wait for what happens to `run`; again changes nothing."""
        loop = asyncio.get_running_loop()
        for kind in (OPENED, "ended"):
            if (kind, run) not in self._awaited:
                self._awaited[kind, run] = loop.create_future()

    async def approval_of(self, run: RunId) -> str:
        """The approval that `run` opened, once it has.

        Raises:
            TimeoutError: if it does not.
        """
        async with asyncio.timeout(PATIENCE_S):
            return await self._awaited[OPENED, run]

    async def end_of(self, run: RunId) -> None:
        """Return once `run` is completed, and keep nothing of it.

        Raises:
            EngineError: if it ended in any other way. TimeoutError: if it does not end.
        """
        async with asyncio.timeout(PATIENCE_S):
            how = await self._awaited["ended", run]
        for kind in (OPENED, "ended"):
            self._awaited.pop((kind, run), None)
        if how != "run.completed":
            raise EngineError(f"{run} did not end as it should: {how}.", code="not_completed")

    def _tell(self, kind: str, run: str, what: str) -> None:
        if (kind, run) in self._awaited:
            self.told(kind, run, what)
        elif self.elsewhere is not None:
            self.elsewhere(kind, run, what)


class Ground:
    """What a measurement may do: start a run up to its approval, and decide one."""

    def __init__(self, database: Database, moments: Moments, signer: Signer) -> None:
        self.database, self.moments = database, moments
        self.signer = signer  # of the anchors that the engine makes by itself, too
        self._ids = SystemIds()

    async def start(self, workflow: str = flows.WORKFLOW, **given: str | int) -> tuple[RunId, str]:
        """Start a run and wait until it asks; gives the run and its approval."""
        run = RunId(self._ids.new("run"))
        new = NewRun(
            id=run,
            tenant=DEFAULT_TENANT,
            workflow=workflow,
            version="1",
            input={"number": 1, **given},
            started_by="key:bench",
        )
        self.moments.expect(run)
        await self.database.write(lambda tx: runs.start(tx, new))
        return run, await self.moments.approval_of(run)

    async def decide(self, run: RunId, approval: str) -> None:
        """Approve, and wait until the run is completed."""
        self.moments.expect(run)
        ballot = Ballot(
            tenant=DEFAULT_TENANT,
            approval=approval,
            person=VOTER,
            choice=Choice.APPROVE,
            channel="bench",
            identified_by="bench",
        )
        await votes.vote(self.database, ballot)
        await self.moments.end_of(run)

    async def one(self, workflow: str = flows.WORKFLOW) -> None:
        """A whole gated run."""
        run, approval = await self.start(workflow)
        await self.decide(run, approval)


@asynccontextmanager
async def ground(place: Place) -> AsyncGenerator[Ground]:
    """An engine at `place`, as `signoff serve` puts it together, at work until the block ends."""
    moments = Moments()
    authored = {name: registered()[name] for name in flows.ALL}
    with heard_by(moments):
        async with running(place.settings, authored=authored) as it:
            await it.application.database.write(mark)
            async with asyncio.TaskGroup() as group:
                working = group.create_task(it.work())
                try:
                    yield Ground(it.application.database, moments, it.application.signer)
                finally:
                    working.cancel()


@contextmanager
def heard_by(moments: Moments) -> Generator[None]:
    """Have `moments` hear what happens, and nothing of it printed, until the block ends."""
    before = structlog.get_config()
    structlog.configure(processors=[moments.hear])
    try:
        yield
    finally:
        structlog.configure(**before)
