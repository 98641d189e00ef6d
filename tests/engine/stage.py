"""A stage for the stories: people, a worker that is driven by hand, and what the audience may ask."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from engine.http import Egress
from engine.ids import DEFAULT_TENANT, PersonId, RunId, SystemIds, WorkerId
from engine.rules.states import RunStatus
from engine.rules.tally import Choice
from engine.runtime.executor import Executor
from engine.runtime.worker import Worker
from engine.runtime.workflows import Workflows
from engine.secrets import Secrets
from engine.services import configuration, runs, votes
from engine.services.approvals import OpenCap
from engine.services.runs import RunPicture
from engine.services.votes import Ballot, CastReceipt
from engine.store.database import Database, Transaction
from engine.store.directory import Directory, ListedPerson
from engine.store.runs import NewRun
from signoff.registry import Workflow, registered
from tests.clock import ManualClock
from tests.engine import flows, kinds, undoing

PEOPLE = ("ana", "bo", "chen", "dana", "eve")
WORKFLOWS = (flows, kinds, undoing)  # whose workflows there are
GROUPS = {
    "finance": ("ana", "bo", "chen"), "release": ("ana", "dana"), "leads": ("dana",), "legal": ("eve",),
}  # fmt: skip


def cast_of_characters() -> Directory:
    """Five people, three groups, one operator, and no channel."""
    return Directory(
        people=tuple(
            ListedPerson(
                id=PersonId(name), name=name.title(), email=f"{name}@example.com", manager=None
            )
            for name in PEOPLE
        ),
        groups={
            group: frozenset(PersonId(name) for name in names) for group, names in GROUPS.items()
        },
        roles={"operator": frozenset({PersonId("ana")})},
    )


@dataclass
class Stage:
    """One database, one worker, and time that moves by hand."""

    database: Database
    clock: ManualClock
    authored: Mapping[str, Workflow] = field(default_factory=lambda: dict(registered()))
    egress: Egress | None = None
    secrets: Secrets | None = None
    cap: OpenCap = field(default_factory=lambda: OpenCap(0))

    executors: list[Executor] = field(default_factory=list[Executor])  # of its workers

    def worker(self, name: str = "worker-1") -> Worker:
        """A worker of this stage; several may share the database."""
        workflows = Workflows(self.authored)
        executor = Executor(
            self.database,
            workflows,
            self.clock,
            SystemIds(),
            egress=self.egress,
            secrets=self.secrets,
        )
        executor.cap = self.cap
        self.executors.append(executor)
        return Worker(WorkerId(name), self.database, executor, workflows.pins)

    async def prepare(self) -> None:
        """Everybody is known, and nothing has happened yet."""
        flows.LEDGER.clear()
        flows.FAIL.clear()
        kinds.DONE.clear()

        def known(tx: Transaction) -> None:
            configuration.apply(tx, DEFAULT_TENANT, cast_of_characters())

        await self.database.write(known)

    async def start(self, workflow: str, **given: object) -> RunId:
        """Start a run, with a key that nobody answers for, and drive it as far as it goes."""
        return await self.start_for(None, workflow, **given)

    async def start_for(self, owner: str | None, workflow: str, **given: object) -> RunId:
        """Start a run, with a key that `owner` answers for, and drive it as far as it goes."""
        run = RunId(SystemIds().new("run"))
        new = NewRun(
            id=run,
            tenant=DEFAULT_TENANT,
            workflow=workflow,
            version="1",
            input=given,
            started_by="key:agent",
            owner=owner,
        )
        await self.database.write(lambda tx: runs.start(tx, new))
        await self.worker().drain()
        return run

    async def picture(self, run: RunId) -> RunPicture:
        """The run as it stands."""
        return await self.database.read(lambda tx: runs.picture(tx, DEFAULT_TENANT, run))

    async def vote(
        self,
        run: RunId,
        person: str,
        choice: str = "approve",
        *,
        comment: str | None = None,
        digest: str | None = None,
        version: int | None = None,
        changes: Mapping[str, object] | None = None,
        form: Mapping[str, object] | None = None,
    ) -> CastReceipt:
        """Vote on the run's newest approval, and drive on. The receipt may hold a refusal."""
        ballot = Ballot(
            tenant=DEFAULT_TENANT,
            approval=(await self.picture(run)).approvals[-1].id,
            person=PersonId(person),
            choice=Choice(choice),
            comment=comment,
            digest=digest,
            version=version,
            changes=changes,
            form=form,
            channel="web",
            identified_by="session",
        )
        receipt = await self.database.write(lambda tx: votes.cast(tx, ballot))
        await self.worker().drain()
        return receipt

    async def resume(self, run: RunId) -> RunStatus:
        """Let a run go on that is held, and drive on."""
        status = await self.database.write(
            lambda tx: runs.resume(tx, DEFAULT_TENANT, run, by="person:ana", reason="I looked.")
        )
        await self.worker().drain()
        return status

    async def pass_time(self, by: timedelta) -> None:
        """Let time go by, and what is due happen."""
        await self.clock.advance(by)
        await self.worker().drain()

    async def kinds(self, run: RunId) -> list[str]:
        """What the run's journal says happened, in order."""
        entries = await self.database.read(
            lambda tx: runs.entries(tx, DEFAULT_TENANT, run, after=-1, limit=1000)
        )
        return [entry.kind for entry in entries]

    async def is_sound(self, run: RunId) -> bool:
        """Whether the journal's chain and the stored state agree."""
        return not await self.database.read(lambda tx: runs.verify(tx, DEFAULT_TENANT, run))
