"""Approvals inside a run: opened once, waited for as rows, and handed to the code when decided."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import structlog

from engine.clock import from_iso
from engine.errors import Invalid
from engine.ids import ApprovalId
from engine.rules.states import WaitingReason
from engine.runtime.memory import last
from engine.runtime.pausing import Pausing
from engine.runtime.signals import RollbackOrdered
from engine.services import approvals
from engine.services.approvals import Asking, OpenCap, Request
from engine.services.driving import Driven
from engine.store import points
from engine.store.journal import Entry
from engine.store.runs import Claim
from signoff.calls import Call
from signoff.outcomes import Decision, ended

log = structlog.get_logger("engine.runtime")

PLAIN: Final = (
    "approvers",
    "quorum",
    "reject_quorum",
    "ladder",
    "risk",
    "comment",
    "on_reject",
    "rollback_to",
    "routes",
    "kind",
    "fields",
    "form",
)


def _effective(
    asked: Entry, terms: Mapping[str, Any], changes: Mapping[str, object]
) -> Mapping[str, object]:
    """The details as they take effect; what a form was filled in with is no part of them.

    They are those that people read, in `asked`: an operator may have edited what the code asked.
    """
    details: Any = terms.get("details", {})
    if asked.kind == "approval.edited":
        content: Any = asked.data["content"]
        details = content["details"]
    return MappingProxyType(dict(details) if "form" in terms else {**details, **changes})


class Asker:
    """Asks on behalf of one drive of one run."""

    def __init__(self, driven: Driven, pausing: Pausing, claim: Claim) -> None:
        self._driven, self._pausing, self._claim = driven, pausing, claim
        self._run, self._entries = claim.run, claim.entries
        self._sent_back: dict[str, ApprovalId] = {}
        self.on_reject = "rollback"
        self.rollback_to: str | None = None
        self.cap: OpenCap | None = None

    def of_branch(self) -> "Asker":
        """The same for a branch of the run; rounds go on within it."""
        branch = type(self)(self._driven, self._pausing.of_branch(), self._claim)
        branch.cap = self.cap
        return branch

    def _places(self, position: int) -> tuple[str | None, str]:
        """The last checkpoint before `position`, and where a rollback from there goes by default."""
        before = [entry for entry in self._entries if entry.position < position]
        made = points.checkpoints(before)
        return made[-1].name if made else None, points.approved(before).name

    def follow(self, branch: "Asker") -> None:
        """What becomes of the run is what was said in this branch of it."""
        self.on_reject, self.rollback_to = branch.on_reject, branch.rollback_to

    def action_of(self, terms: Mapping[str, Any]) -> str:
        """What the approval is called: its action, else the function it is about, else the workflow."""
        call = terms.get("call")
        named = call.name.rpartition(":")[2] if isinstance(call, Call) else None
        return str(terms.get("action") or named or self._run.workflow)

    async def decision(
        self,
        path: str,
        title: str,
        terms: Mapping[str, Any],
        known: Sequence[Entry],
    ) -> Decision:
        """The decision that the run may go on with.

        Raises:
            Suspended: while people have not decided. RollbackOrdered: if the last rung says so.
            ApprovalEnded: in its four kinds, where there is no consent.
            TooManyOpen: if whoever started the run has as many open as one may: the run ends by that as
                by a failed step. Its code is not asked: asked again on a replay it might go another way.
        """
        self.on_reject = str(terms.get("on_reject", "rollback"))
        self.rollback_to = terms.get("rollback_to")
        decided = last(known, "approval.decided")
        if decided is None:
            opened = last(known, "approval.opened")
            if opened is not None and self._pausing.is_branch:
                approval = str(opened.data["approval"])
            else:
                approval = await self._open(path, title, terms, known)
            self._pausing.until_ended(path, approval, WaitingReason.APPROVAL)
        asked = last(known, "approval.opened", "approval.edited")
        return await self._handed_over(decided, asked or decided, terms)

    async def _open(
        self,
        path: str,
        title: str,
        terms: Mapping[str, Any],
        known: Sequence[Entry],
    ) -> str:
        if last(known, "approval.opened") is not None:
            raise Invalid(
                "The approval is open and its run was driven all the same.", code="still_open"
            )
        request = self._request(title, terms)
        asking = Asking(
            run=self._driven.run,
            path=path,
            token=self._driven.token,
            again=self._sent_back.get(request.action),
            is_branch=self._pausing.is_branch,
            asked_by=self._run.started_by,
        )
        opened = await self._pausing.unwritten.write(
            lambda tx, before: approvals.open_for_run(
                tx, self._driven.tenant, request, asking, before=before, cap=self.cap
            )
        )
        log.info("approval.opened", run=opened.run, approval=opened.id)
        return opened.id

    def _request(self, title: str, terms: Mapping[str, Any]) -> Request:
        call = terms.get("call")
        started_by = self._run.started_by
        by_default = (
            started_by if started_by.startswith("person:") else f"workflow:{self._run.workflow}"
        )
        return Request(
            title=title,
            action=self.action_of(terms),
            details=terms.get("details", {}),
            call=call.to_json() if isinstance(call, Call) else None,
            parameters=call.parameters if isinstance(call, Call) else (),
            requester=terms.get("requester", by_default),
            excluded=self._run.involved,
            is_sandbox=self._claim.sandbox is not None,
            **{name: terms[name] for name in PLAIN if name in terms},
        )

    async def _handed_over(
        self, decided: Entry, asked: Entry, terms: Mapping[str, Any]
    ) -> Decision:
        data: Any = decided.data
        approval, by = str(data["approval"]), tuple(data["by"])
        comment = await self._pausing.texts.comment(data["comment"])
        # Asking about the same action again is its next round only right after it was sent back.
        self._sent_back.pop(self.action_of(terms), None)
        match str(data["outcome"]):
            case "approved" | "continued" as outcome:
                # Where approvers could change what was asked, it is what they made of it.
                changes: Mapping[str, object] = (
                    data["changes"] if "effective_digest" in data else {}
                )
                call: Call[object] | None = terms.get("call")
                return Decision(
                    approval=approval,
                    outcome=outcome,
                    digest=str(data["digest"]),
                    by=by,
                    at=from_iso(str(data["at"])),
                    changes=data["changes"],
                    details=_effective(asked, terms, changes),
                    form=MappingProxyType(dict(data.get("form", {}))),
                    comment=comment,
                    call=None if call is None else call.changed(changes),
                )
            case "rollback":
                raise RollbackOrdered(approval, rule=str(data["rule"]))
            case outcome:
                if outcome == "changes_requested":
                    self._sent_back[self.action_of(terms)] = ApprovalId(approval)
                ending = ended(outcome, approval, comment=comment, by=by)
                ending.checkpoint, ending.last_approved = self._places(decided.position)
                raise ending
