"""An approval as people see it: one picture for the API, the pages, the cards and the webhooks."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from engine.clock import iso
from engine.ids import ApprovalId, PersonId, RunId, TenantId
from engine.rules.ladder import Rung, due
from engine.rules.states import ApprovalStatus
from engine.rules.tally import Tally
from engine.store import (
    approvals,
    eligibility,
    family,
    journal,
    messages,
    rollbacks,
    runs,
    sealing,
    subjects,
    timers,
    undoing,
    votes,
)
from engine.store.approvals import ApprovalRow
from engine.store.database import Transaction
from engine.store.family import Place
from engine.store.journal import Entry
from engine.store.outcomes import Modifying, modifying
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
            "form": None,
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

    def _vote(self, vote: VoteRow) -> dict[str, object]:
        return {
            "person": vote.person,
            "choice": vote.choice,
            "comment": vote.comment,
            "changes": vote.changed or None,
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


def picture(tx: Transaction, tenant: TenantId, approval: str) -> ApprovalPicture:
    """The approval as it stands.

    Raises:
        NotFound: if this tenant has no such approval.
    """
    return pictures(tx, [approvals.get(tx, tenant, approval)])[0]


def pictures(tx: Transaction, rows: Sequence[ApprovalRow]) -> list[ApprovalPicture]:
    """The pictures of several approvals, in their order, with what people wrote."""
    return [_opened(tx, each) for each in sealed_pictures(tx, rows)]


def sealed_pictures(tx: Transaction, rows: Sequence[ApprovalRow]) -> list[ApprovalPicture]:
    """The same to be kept: what people wrote stays sealed."""
    cast = votes.current_of_many(tx, [row.id for row in rows])
    known = runs.known_as(tx, [row.run for row in rows])
    journals = journal.entries_of(tx, [row.run for row in rows])
    parents = {
        run
        for run, entries in journals.items()
        if any(entry.kind == "child.started" for entry in entries)
    }
    places = family.place_of_each(tx, [row.run for row in rows], parents=parents)
    drawn = (
        _picture(
            tx,
            row,
            cast[row.id],
            journals[row.run],
            is_verified=row.requester in known.get(row.run, ()),
        )
        for row in rows
    )
    return [replace(each, place=places.get(each.run)) for each in drawn]


def _opened(tx: Transaction, kept: ApprovalPicture) -> ApprovalPicture:
    return replace(
        kept,
        votes=tuple(sealing.opened_votes(tx, kept.tenant, kept.votes)),
        decision=sealing.opened(tx, kept.tenant, kept.decision),
        report=tuple(sealing.opened(tx, kept.tenant, kept.report)),
    )


def _picture(
    tx: Transaction,
    row: ApprovalRow,
    cast: Sequence[VoteRow],
    entries: Sequence[Entry],
    *,
    is_verified: bool,
) -> ApprovalPicture:
    among = eligibility.electorate(tx, row)
    names = _names(tx, row, among.pool, cast)
    requester = eligibility.requesting_person(row.requester) or row.requester
    tally = eligibility.count(row, cast, among)
    is_open = row.status is ApprovalStatus.OPEN
    fired = timers.fired_count(tx, row.id) if is_open else len(row.ladder)
    content = row.content
    return ApprovalPicture(
        id=row.id,
        tenant=row.tenant,
        run=row.run,
        status=row.status,
        version=row.version,
        digest=row.digest,
        action=content.action,
        title=content.title,
        call=content.call,
        details=content.details,
        risk=content.policy.risk,
        comment_rule=content.policy.comment,
        requester=row.requester,
        requester_name=names.get(requester, requester),
        requester_is_verified=is_verified,
        approvers=tuple(str(approver) for approver in content.approvers),
        tally=tally,
        votes=tuple(cast),
        decision=row.decision,
        messages=tuple(
            MessagePicture(channel=message.channel, target=message.address, state=message.state)
            for message in messages.of(tx, row.id)
        ),
        next_rung=row.ladder[fired] if fired < len(row.ladder) else None,
        opened_at=row.opened_at,
        expires_at=row.expires_at,
        ended_at=row.ended_at,
        consumed_at=row.consumed_at,
        plan=_plan(row, entries) if is_open else None,
        on_reject=row.on_reject,
        report=rollbacks.lines(entries),
        names=names,
        modifying=modifying(content, tally, row.decision),
    )


def _plan(row: ApprovalRow, entries: Sequence[Entry]) -> Plan | None:
    opened = [
        entry
        for entry in entries
        if entry.kind == "approval.opened" and entry.data["approval"] == row.id
    ]
    if row.on_reject == "fail" or not opened:
        return None
    return undoing.whole_plan(entries, to=opened[-1].data.get("rollback_to"))


def _names(
    tx: Transaction, row: ApprovalRow, pool: Iterable[PersonId], cast: Sequence[VoteRow]
) -> dict[str, str]:
    requester = eligibility.requesting_person(row.requester)
    deciders: Sequence[str] = (row.decision or {}).get("by", ())
    wanted = {*pool, *(vote.person for vote in cast), *deciders, requester or row.requester}
    return subjects.names_of(tx, row.tenant, wanted)
