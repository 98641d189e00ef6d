"""Consent to a dangerous compensation: people are asked before it is done, and who says no leaves the step as it is."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Final

from engine.errors import Invalid
from engine.runtime.memory import last
from engine.services import approvals, driving
from engine.services.approvals import Asking, Request
from engine.services.driving import Driven
from engine.store import points
from engine.store.database import Database
from engine.store.journal import Entry, NewEntry
from engine.store.runs import Claim
from engine.store.undoing import Undo

# Nobody who is silent undoes anything, and nothing is silently left as it is.
LADDER: Final = ("remind after 1h", "hold after 1d")


class Answer(StrEnum):
    """Whether a compensation may be done now."""

    GIVEN = "given"
    WAITING = "waiting"
    REFUSED = "refused"


class Consent:
    """Asks on behalf of one rollback of one run."""

    def __init__(self, driven: Driven, claim: Claim, database: Database) -> None:
        self._driven, self._run, self._database = driven, claim.run, database
        self._is_sandbox = claim.sandbox is not None

    async def to(self, undo: Undo, entries: Sequence[Entry]) -> Answer:
        """Whether `undo` may be done; where it needs people they are asked once.

        `WAITING` gives the lease back. `REFUSED` has recorded that the step stays, and who said so.
        """
        needs = undo.terms.get("needs")
        if not needs:
            return Answer.GIVEN
        order = points.under_way(entries)
        since = -1 if order is None else order.position
        known = [
            entry for entry in entries if entry.path == place_of(undo) and entry.position > since
        ]
        decided, opened = last(known, "approval.decided"), last(known, "approval.opened")
        if decided is not None:
            return await self._answered(undo, decided)
        if opened is None:
            await self._ask(undo, needs, str("" if order is None else order.data.get("reason")))
        else:
            await self._database.write(lambda tx: driving.stop(tx, self._driven, []))
        return Answer.WAITING

    async def _answered(self, undo: Undo, decided: Entry) -> Answer:
        data = decided.data
        if data["outcome"] == "approved":
            return Answer.GIVEN
        skipped = NewEntry(
            kind="compensation.skipped",
            name=undo.step,
            path=undo.path,
            data={"by": ", ".join(data["by"]), "reason": data["comment"] or data["outcome"]},
        )
        await self._database.write(lambda tx: driving.record(tx, self._driven, [skipped]))
        return Answer.REFUSED

    async def _ask(self, undo: Undo, needs: object, reason: str) -> None:
        request = Request(
            title=f"Undo {undo.step} of {self._run.workflow}?",
            action=f"undo {undo.step}",
            approvers=needs,
            ladder=LADDER,
            details={"run": self._run.id, "step": undo.step, "because": reason},
            call={"name": undo.undo, "arguments": _arguments(undo)},
            requester=f"workflow:{self._run.workflow}",
            excluded=self._run.involved,
            on_reject="fail",
            is_sandbox=self._is_sandbox,
        )
        asking = Asking(
            run=self._driven.run,
            path=place_of(undo),
            token=self._driven.token,
            started_by=self._run.started_by,
        )
        tenant = self._driven.tenant
        try:
            await self._database.write(
                lambda tx: approvals.open_for_run(tx, tenant, request, asking)
            )
        except Invalid as error:
            await self._stick(undo, str(error))

    async def _stick(self, undo: Undo, why: str) -> None:
        error = {"type": "cannot_ask", "message": why}
        stuck = NewEntry(
            kind="compensation.stuck", name=undo.step, path=undo.path, data={"error": error}
        )
        await self._database.write(lambda tx: driving.stuck(tx, self._driven, [stuck]))


def place_of(undo: Undo) -> str:
    """The path of the approval that `undo` needs."""
    return f"{undo.path}:undo"


def _arguments(undo: Undo) -> dict[str, Any]:
    return {"args": [undo.result, *undo.positional], "kwargs": dict(undo.named)}
