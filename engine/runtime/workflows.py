"""The workflows that this process can drive: the authors' and the built-in one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.errors import Invalid
from engine.services.approvals import ASK, ASK_VERSION
from engine.store.leases import pin
from signoff.outcomes import ApprovalEnded
from signoff.registry import Workflow
from signoff.running import Run


@dataclass(frozen=True, slots=True)
class Workflows:
    """Registered workflows by name. Those whose code is not here are left to other workers."""

    authored: Mapping[str, Workflow]

    @property
    def pins(self) -> list[str]:
        """Every version of every workflow whose runs may be claimed."""
        mine = (each for newest in self.authored.values() for each in (newest, *newest.others))
        return [pin(ASK, ASK_VERSION), *sorted(pin(each.name, each.version) for each in mine)]

    def pinned(self, name: str, version: str) -> Workflow:
        """The code of the runs that began with `version`.

        Raises:
            Invalid: `unknown_workflow` or `unknown_version`, naming those there are.
        """
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
        found = self.authored.get(name)
        if found is None:
            known = ", ".join(sorted(self.authored)) or "none"
            raise Invalid(
                f"No workflow is called {name!r} here; registered: {known}. Start the server with "
                "`signoff serve --workflows your.module`.",
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


async def ask(run: Run, *, title: str, action: str) -> Mapping[str, Any]:
    """What an approval without a workflow does when it has ended: say how."""
    try:
        # It was opened together with the run; the approvers were frozen then.
        decision = await run.approval(title, action=action, approvers="role:operator")
    except ApprovalEnded as ending:
        return {"outcome": ending.outcome, "by": list(ending.by), "comment": ending.comment}
    return {"outcome": decision.outcome, "by": list(decision.by), "changes": dict(decision.changes)}
