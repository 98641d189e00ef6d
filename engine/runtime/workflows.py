"""The workflows that this process can drive: those in code, those that were written down, and the built-in one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from engine.errors import Invalid
from engine.ids import DEFAULT_TENANT, TenantId
from engine.runtime.definitions.held import Held, Pins
from engine.runtime.definitions.offered import Offered
from engine.runtime.texts import kept
from engine.services.approvals import ASK, ASK_VERSION
from engine.services.raises import RAISE, RAISE_VERSION
from engine.services.signals import RECONCILE, RECONCILE_VERSION
from engine.store.database import Database
from engine.store.leases import pin
from signoff.outcomes import ApprovalEnded
from signoff.registry import Workflow
from signoff.running import Run

BUILT_IN: Final = (ASK, RAISE, RECONCILE)  # the executor drives them, whatever else is called so


@dataclass(frozen=True, slots=True)
class Workflows:
    """Workflows by name. Those whose code is not here are left to other workers.

    `written` are definitions, of which every tenant has its own; code comes before them.
    """

    authored: Mapping[str, Workflow]
    written: Held | None = None
    tenant: TenantId = DEFAULT_TENANT

    def of(self, tenant: TenantId) -> "Workflows":
        """The same as one tenant has it."""
        return self if tenant == self.tenant else replace(self, tenant=tenant)

    async def follow(self, name: str, database: Database) -> None:
        """Know of definitions that were added elsewhere, where `name` may be one."""
        if name not in self.authored:
            await self.refresh(database)

    async def refresh(self, database: Database) -> None:
        """Know every definition that there is now."""
        if self.written is not None:
            await self.written.refresh(database)

    @property
    def offered(self) -> Offered:
        """What a definition may name here."""
        if self.written is None:
            return Offered(authored=self.authored)
        return self.written.offered(self.tenant)

    @property
    def pins(self) -> Sequence[str]:
        """Every version of every workflow whose runs may be claimed; grows as definitions are added."""
        mine = (each for newest in self.authored.values() for each in (newest, *newest.others))
        asking = ((ASK, ASK_VERSION), (RAISE, RAISE_VERSION), (RECONCILE, RECONCILE_VERSION))
        builtin = (pin(name, version) for name, version in asking)
        fixed = [*builtin, *sorted(pin(each.name, each.version) for each in mine)]
        written = self.written
        return fixed if written is None else Pins(lambda: [*fixed, *written.pins])

    def pinned(self, name: str, version: str) -> Workflow:
        """The code of the runs that began with `version`.

        Raises:
            Invalid: `unknown_workflow` or `unknown_version`, naming those there are.
        """
        if (written := self._written(name, version)) is not None:
            return written
        newest = self.named(name)
        held = {each.version: each for each in (newest, *newest.others)}
        if version not in held:
            raise Invalid(
                f"No version {version} of {name} is held here; there is {', '.join(sorted(held))}.",
                code="unknown_version",
            )
        return held[version]

    def named(self, name: str) -> Workflow:
        """The workflow that somebody wants to start.

        Raises:
            Invalid: `unknown_workflow`, naming those there are.
        """
        found = self.authored.get(name) or self._written(name)
        if found is None:
            written = [] if self.written is None else self.written.names(self.tenant)
            known = ", ".join(sorted([*self.authored, *written])) or "none"
            raise Invalid(
                f"No workflow is called {name!r} here; registered: {known}. Start the server with "
                "`signoff serve --workflows your.module`, or add a definition.",
                code="unknown_workflow",
            )
        return found

    def check(self, name: str, given: Mapping[str, object]) -> Workflow:
        """The workflow, after making sure that it takes this input.

        Raises:
            Invalid: `unknown_workflow` or `bad_input`, with a sentence for each field.
        """
        found = self.named(name)
        try:
            found.parse(given)
        except ValueError as error:
            raise Invalid(str(error), code="bad_input") from None
        return found

    def _written(self, name: str, version: str | None = None) -> Workflow | None:
        if self.written is None or name in self.authored:
            return None
        return self.written.find(self.tenant, name, version)


NONE: Final = Workflows({})


async def ask(run: Run, *, title: str, action: str) -> Mapping[str, Any]:
    """What an approval without a workflow does when it has ended: say how."""
    try:
        # It was opened together with the run; the approvers were frozen then.
        decision = await run.approval(title, action=action, approvers="role:operator")
    except ApprovalEnded as ending:
        return {"outcome": ending.outcome, "by": list(ending.by), "comment": kept(ending.comment)}
    return {"outcome": decision.outcome, "by": list(decision.by), "changes": dict(decision.changes)}
