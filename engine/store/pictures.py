"""An approval as people see it: one picture for the API, the pages, the cards and the webhooks."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from engine.clock import iso
from engine.ids import ApprovalId, RunId, TenantId
from engine.rules.ladder import Rung, due
from engine.rules.modifying import answered
from engine.rules.states import ApprovalStatus
from engine.rules.tally import Choice, Tally
from engine.store.family import Place
from engine.store.outcomes import Modifying
from engine.store.undoing import Plan
from engine.store.votes import VoteRow


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagePicture:
    """Where the approval is shown."""

    channel: str
    target: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalPicture:
    """Everything that is shown of one approval.

    `names` are the people it speaks of, by id; and, as `key:…`, the keys.
    """

    id: ApprovalId
    tenant: TenantId
    run: RunId
    status: ApprovalStatus
    version: int
    digest: str
    action: str
    title: str
    call: Mapping[str, Any] | None
    details: Mapping[str, object]
    risk: str
    comment_rule: str
    requester: str
    requester_name: str  # what people call them, where they do
    requester_is_verified: bool  # whoever started the run, its owner or its workflow; else a claim
    approvers: tuple[str, ...]
    tally: Tally
    votes: tuple[VoteRow, ...]
    decision: Mapping[str, Any] | None
    messages: tuple[MessagePicture, ...]
    next_rung: Rung | None
    opened_at: datetime
    expires_at: datetime | None
    ended_at: datetime | None
    consumed_at: datetime | None
    plan: Plan | None  # what a rejection does; None where it undoes nothing
    on_reject: str
    report: tuple[str, ...]
    names: Mapping[str, str]
    modifying: Modifying
    place: Place | None = None  # of its run, where another started that, or it started others

    @property
    def undoes(self) -> tuple[str, ...]:
        """The names of the steps that a rejection undoes, newest first."""
        return () if self.plan is None else tuple(undo.step for undo in self.plan.undoes)

    def counts(self, vote: VoteRow) -> bool:
        """Whether `vote` is part of the present tally."""
        return vote.is_current and not vote.is_late and vote.version == self.version

    def to_json(self) -> dict[str, object]:
        """The approval as `GET /api/approvals/{id}` answers it."""
        return {
            "id": self.id,
            "run": self.run,
            "tree": [] if self.place is None else self.place.tree_json(),
            "children": None if self.place is None else self.place.children_json(),
            "status": self.status,
            "version": self.version,
            "digest": self.digest,
            **self.modifying.to_json(),
            "action": self.action,
            "title": self.title,
            "call": self.call,
            "details": self.details,
            "risk": self.risk,
            "comment": self.comment_rule,
            "requester": self.requester,
            "requester_name": self.requester_name,
            "requester_is_verified": self.requester_is_verified,
            "approvers": list(self.approvers),
            "progress": self._progress(),
            "votes": [self._vote(vote) for vote in self.votes],
            "decision": self._decision(),
            "messages": [
                {"channel": item.channel, "target": item.target, "state": item.state}
                for item in self.messages
            ],
            "next_rung": self._next_rung(),
            "undoes": list(self.undoes),
            "plan": None if self.plan is None else self.plan.to_json(),
            "on_reject": self.on_reject,
            "report": list(self.report),
            "opened_at": iso(self.opened_at),
            "expires_at": None if self.expires_at is None else iso(self.expires_at),
            "status_url": f"/api/approvals/{self.id}",
            "page_url": f"/approvals/{self.id}",
        }

    def _progress(self) -> dict[str, object]:
        return {
            "approve": {"have": self.tally.have, "need": self.tally.need},
            "reject": {"have": self.tally.reject_have, "need": self.tally.reject_need},
            "groups": [
                {"name": group.name, "have": group.have, "need": group.need}
                for group in self.tally.groups
            ],
            "can_still": list(self.tally.can_still) if self.status is ApprovalStatus.OPEN else [],
        }

    def _filled_in(self, vote: VoteRow) -> dict[str, object] | None:
        content = self.modifying.content
        is_consent = vote.choice is Choice.APPROVE and vote.version == self.version
        return answered(content, vote.changed) if content.form and is_consent else None

    def _vote(self, vote: VoteRow) -> dict[str, object]:
        return {
            "person": vote.person,
            "choice": vote.choice,
            "comment": vote.comment,
            "changes": vote.changed or None,
            "form": self._filled_in(vote),
            "channel": vote.channel,
            "identified_by": vote.identified_by,
            "at": iso(vote.at),
            "counted": self.counts(vote),
            "late": vote.is_late,
            "version": vote.version,
            "digest": vote.digest,
        }

    def _decision(self) -> dict[str, object] | None:
        if self.decision is None:
            return None
        consumed = None if self.consumed_at is None else iso(self.consumed_at)
        return {**self.decision, "consumed_at": consumed}

    def _next_rung(self) -> dict[str, object] | None:
        if self.next_rung is None:
            return None
        return {"text": self.next_rung.text, "due_at": iso(due(self.opened_at, self.next_rung))}
