"""A stage for workflows that are written down: they are added as anybody adds them, and driven."""

from dataclasses import dataclass, field
from textwrap import dedent

from typing_extensions import override

from engine.ids import DEFAULT_TENANT, RunId, SystemIds, WorkerId
from engine.runtime.definitions.adding import add
from engine.runtime.definitions.held import Held
from engine.runtime.executor import Executor
from engine.runtime.worker import Worker
from engine.runtime.workflows import Workflows
from engine.services import runs
from engine.store.runs import NewRun
from tests.engine.stage import Stage


@dataclass
class Written(Stage):
    """A stage whose worker knows definitions, too."""

    held: Held | None = field(default=None)

    @property
    def workflows(self) -> Workflows:
        """What may be started here."""
        self.held = self.held or Held(self.authored)
        return Workflows(self.authored, self.held)

    @override
    def worker(self, name: str = "worker-1") -> Worker:
        executor = Executor(
            self.database,
            self.workflows,
            self.clock,
            SystemIds(),
            egress=self.egress,
            secrets=self.secrets,
        )
        return Worker(WorkerId(name), self.database, executor, self.workflows.pins)

    async def write(self, source: str) -> str:
        """Add a definition; gives its version."""
        added = await add(self.database, self.workflows, dedent(source), by="local")
        return added.version

    async def begin(self, workflow: str, **given: object) -> RunId:
        """Start a run of the newest version, and drive it as far as it goes."""
        found = self.workflows.check(workflow, given)
        new = NewRun(
            id=RunId(SystemIds().new("run")),
            tenant=DEFAULT_TENANT,
            workflow=found.name,
            version=found.version,
            input=given,
            started_by="key:agent",
        )
        run = await self.database.write(lambda tx: runs.start(tx, new))
        await self.worker().drain()
        return run

    async def told(self, source: str, **given: object) -> object:
        """The result of one run of `source`."""
        dedented = dedent(source)
        await self.write(dedented)
        name = dedented.partition("name: ")[2].partition("\n")[0].strip()
        picture = await self.picture(await self.begin(name, **given))
        return picture.row.result if picture.row.error is None else picture.row.error["message"]
