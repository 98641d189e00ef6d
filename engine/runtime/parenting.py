"""Children of a run: started once, waited for as rows, and answered with what became of them."""

from collections.abc import Mapping, Sequence
from typing import Any

import structlog

from engine.rules.states import RunStatus, WaitingReason
from engine.runtime.memory import last
from engine.runtime.pausing import Pausing
from engine.runtime.workflows import Workflows
from engine.services import children
from engine.services.children import Started
from engine.store.journal import Entry
from engine.store.runs import Claim
from signoff.outcomes import ChildFailed, ended

log = structlog.get_logger("engine.runtime")


class Parent:
    """Starts and awaits children on behalf of one drive of one run."""

    def __init__(self, claim: Claim, pausing: Pausing, workflows: Workflows) -> None:
        self._claim, self._pausing, self._workflows = claim, pausing, workflows

    def of_branch(self) -> "Parent":
        """The same for a branch of the run."""
        return type(self)(self._claim, self._pausing.of_branch(), self._workflows)

    async def result(
        self, path: str, name: str, given: Mapping[str, object], known: Sequence[Entry]
    ) -> Any:
        """What the child of the workflow `name` at `path` returned.

        Raises:
            Suspended: while it has not ended.
            ApprovalEnded: in its four kinds, if it was rolled back for lack of consent.
            ChildFailed: if it ended without a result otherwise.
            Invalid: if there is no such workflow, it does not take `given`, or the tree is too high.
        """
        over = last(known, "child.ended")
        if over is None:
            begun = last(known, "child.started")
            child = str(begun.data["child"]) if begun else await self._start(path, name, given)
            self._pausing.until_ended(path, child, WaitingReason.CHILD)
        return await self._handed_over(over)

    async def _start(self, path: str, name: str, given: Mapping[str, object]) -> str:
        wanted = Started(
            path=path,
            workflow=name,
            version=self._workflows.check(name, given).version,
            input=given,
            said=self._pausing.to,
            waits=not self._pausing.is_branch,
        )
        child = await self._pausing.unwritten.write(
            lambda tx, before: children.start(tx, self._claim, before, wanted)
        )
        log.info("child.started", run=self._claim.run.id, child=child, workflow=name)
        return child

    async def _handed_over(self, over: Entry) -> Any:
        data: Mapping[str, Any] = over.data
        if data["status"] == RunStatus.COMPLETED:
            return data["result"]
        error: Mapping[str, Any] = data["error"] or {}
        ending: Mapping[str, Any] | None = error.get("ending")
        if ending is not None:
            raise ended(
                str(ending["outcome"]),
                str(ending["approval"]),
                comment=await self._pausing.texts.comment(ending["comment"]),
                by=tuple(ending["by"]),
            )
        raise ChildFailed(
            f"{over.name} did not complete: it is {data['status']}. {error.get('message', '')}".rstrip(),
            run=str(data["child"]),
            workflow=over.name or "",
            status=str(data["status"]),
            code=str(error.get("code", data["status"])),
        )
