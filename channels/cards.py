"""Builds the card of an approval for one addressee: what this channel may show, and what it must not hide."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from channels import differences
from channels.base import Card, Ending, Fact, ProgressLine, VoteLine
from channels.calls import call_home, call_text
from channels.saying import text_of, whose
from engine.clock import from_iso
from engine.errors import NotFound
from engine.ids import ApprovalId, PersonId, TenantId
from engine.rules.ladder import Rung, Verb
from engine.rules.routing import Routing, parse_routing
from engine.rules.sandboxes import is_marked
from engine.rules.states import ApprovalStatus
from engine.store import approvals, drawing, links, people
from engine.store.approvals import ApprovalRow
from engine.store.database import Database, Transaction
from engine.store.outbox import Delivery
from engine.store.outcomes import OutcomePicture
from engine.store.pictures import ApprovalPicture
from engine.store.rollbacks import said
from engine.store.undoing import NO_UNDO

CHOICE_WORDS: Mapping[ApprovalStatus, str] = {
    ApprovalStatus.APPROVED: "Approved",
    ApprovalStatus.REJECTED: "Rejected",
    ApprovalStatus.EXPIRED: "Expired: nobody decided in time",
    ApprovalStatus.CHANGES_REQUESTED: "Sent back for changes",
    ApprovalStatus.CANCELLED: "Withdrawn",
}
THEN_WORDS: Mapping[Verb, str] = {
    Verb.REJECT: "it is rejected",
    Verb.APPROVE: "it is approved",
    Verb.ROLLBACK: "everything is undone",
    Verb.CONTINUE: "it continues with the default",
    Verb.HOLD: "it is held",
}
VOTING_CHANNELS = frozenset({"slack", "email", "webhook"})


class CardBuilder:
    """Reads an approval and draws its card; nothing in it is escaped yet."""

    def __init__(self, database: Database, *, base_url: str) -> None:
        self._database = database
        self._base_url = base_url.rstrip("/")

    async def card(self, delivery: Delivery) -> Card | None:
        """The card that `delivery` shows, as things stand now; None when its approval is gone."""
        approval = delivery.approval
        if approval is None:
            return None
        try:
            return await self._database.of(delivery.tenant).read(
                lambda tx: self._delivered(tx, delivery, approval)
            )
        except NotFound:
            return None

    def card_of(
        self, tx: Transaction, tenant: TenantId, approval: ApprovalId, person: PersonId
    ) -> Card:
        """The card as `person` may see it in Slack when they ask for it.

        Raises:
            NotFound: if there is no such approval.
        """
        row = approvals.get(tx, tenant, approval)
        return self._draw(tx, row, channel="slack", person=person, event=None)

    def _delivered(self, tx: Transaction, delivery: Delivery, approval: ApprovalId) -> Card:
        return self._draw(
            tx,
            approvals.get(tx, delivery.tenant, approval),
            channel=delivery.channel,
            person=delivery.person,
            event=delivery,
        )

    def _draw(
        self,
        tx: Transaction,
        row: ApprovalRow,
        *,
        channel: str,
        person: PersonId | None,
        event: Delivery | None,
    ) -> Card:
        picture, routing = drawing.picture(tx, row.tenant, row.id), parse_routing(row.routing)
        facts, left_out = _facts(picture, routing, channel)
        return Card(
            approval=row.id,
            tenant=row.tenant,
            version=row.version,
            digest=row.digest,
            status=row.status,
            risk=picture.risk,
            action=picture.action,
            title=picture.title,
            requester=picture.requester_name,
            requester_is_verified=picture.requester_is_verified,
            facts=facts,
            left_out=left_out,
            can_vote_here=_can_vote(picture, routing, channel, left_out),
            progress=_progress(picture),
            votes=_votes(picture, left_out),
            kind=picture.modifying.content.kind,
            asked=differences.asked(picture),
            changeable=differences.changeable(picture, left_out),
            proposals=differences.proposals(picture, left_out),
            decided=differences.decided(picture, left_out),
            undoes=picture.undoes,
            report=picture.report,
            back_to=_back_to(picture),
            tree=_tree(picture),
            stays=_stays(picture),
            note=_note(event, row),
            opened_at=row.opened_at,
            expires_at=row.expires_at,
            then=_then(row.ladder, picture.title),
            ending=_ending(picture, left_out),
            page_url=f"{self._base_url}/approvals/{row.id}",
            person=person,
            person_name=_called(tx, row.tenant, person),
            respond_url=self._respond_url(tx, row, person, event),
            event="approval.opened" if event is None else event.event,
            event_at=tx.now if event is None else event.event_at,
            snapshot=_snapshot(event),
        )

    def _respond_url(
        self, tx: Transaction, row: ApprovalRow, person: PersonId | None, event: Delivery | None
    ) -> str | None:
        if person is None or event is None or event.channel != "email":
            return None
        token = links.token_of(
            tx, approval=row.id, version=row.version, person=person, serial=event.serial
        )
        return f"{self._base_url}/respond/{token}"


def _called(tx: Transaction, tenant: TenantId, person: PersonId | None) -> str | None:
    return None if person is None else people.several(tx, tenant, [person])[0].name


def _facts(
    picture: ApprovalPicture, routing: Routing, channel: str
) -> tuple[tuple[Fact, ...], tuple[str, ...]]:
    hidden = set(routing.hide.get(channel, ()))
    material = set(routing.material)
    shown = [
        # Unless the operator says which fields matter, all of them do.
        Fact(
            label=label,
            value=text_of(value),
            is_material=not material or label in material,
        )
        for label, value in picture.details.items()
        if label not in hidden
    ]
    left_out = tuple(label for label in picture.details if label in hidden)
    return (*_call_facts(picture.call), *shown), left_out


def _call_facts(call: Mapping[str, Any] | None) -> Iterable[Fact]:
    if call is None:
        return ()
    written = f"{call_text(call)} of {call_home(call)}"
    return (Fact(label="Call", value=written, is_material=True),)


def _can_vote(
    picture: ApprovalPicture, routing: Routing, channel: str, left_out: Sequence[str]
) -> bool:
    material = set(routing.material) or set(picture.details)
    if channel == "email" and picture.risk == "high":
        return False  # a mailbox alone is not enough for high risk
    is_open = picture.status is ApprovalStatus.OPEN
    return is_open and channel in VOTING_CHANNELS and not material & set(left_out)


def _back_to(picture: ApprovalPicture) -> str:
    if picture.plan is None or not picture.plan.undoes:
        return ""
    then = ", and the run goes on from there" if picture.on_reject == "resume" else ""
    return f"{said(picture.plan.to.name)}{then}"


def _tree(picture: ApprovalPicture) -> str:
    place = picture.place
    if place is None:
        return ""
    so_far = f"{place.done} of {place.all} {'child' if place.all == 1 else 'children'}"
    if len(place.path) == 1:
        return f"{so_far} done"
    return f"{' > '.join(row.workflow for row in place.path)}; {so_far} of {place.of} done"


def _stays(picture: ApprovalPicture) -> tuple[str, ...]:
    staying = () if picture.plan is None else picture.plan.stays
    # Steps that only look need no undo: they are worth a line only beside those that have one.
    return tuple(
        f"{each.step}: {each.why}" for each in staying if picture.undoes or each.why != NO_UNDO
    )


def _progress(picture: ApprovalPicture) -> tuple[ProgressLine, ...]:
    outcomes = picture.modifying.outcomes
    if any(outcome.changes for outcome in outcomes):
        return tuple(
            ProgressLine(label=_so(outcome, picture), have=outcome.have, need=outcome.need)
            for outcome in outcomes
        )
    groups = tuple(
        ProgressLine(label=group.name, have=group.have, need=group.need)
        for group in picture.tally.groups
    )
    return groups or (ProgressLine(label="", have=picture.tally.have, need=picture.tally.need),)


def _so(outcome: OutcomePicture, picture: ApprovalPicture) -> str:
    names = whose([picture.names.get(who, who) for who in outcome.by])
    if not outcome.changes:
        return "As it was asked"
    match picture.modifying.content.kind:
        case "form":
            return f"As {names} answered"
        case "budget":
            return f"As {names} would grant it"
        case _:
            return f"As {names} changed it"


def _votes(picture: ApprovalPicture, left_out: Sequence[str]) -> tuple[VoteLine, ...]:
    return tuple(
        VoteLine(
            name=picture.names.get(vote.person, vote.person),
            choice=vote.choice,
            comment=vote.comment,
            channel=vote.channel,
            at=vote.at,
            changes=differences.of_vote(picture, vote, left_out),
        )
        for vote in picture.votes
        if picture.counts(vote)
    )


def _then(ladder: Sequence[Rung], title: str) -> str | None:
    if not ladder:
        return None
    if ladder[-1].verb is Verb.ROLLBACK and is_marked(title):
        return "undoing everything is rehearsed"
    return THEN_WORDS.get(ladder[-1].verb)


def _note(event: Delivery | None, row: ApprovalRow) -> str | None:
    if event is not None and event.event == "approval.reminded":
        return f"Reminder: {event.payload.get('note', 'still open')}"
    return f"Edited: this is version {row.version}" if row.version > 1 else None


def _ending(picture: ApprovalPicture, left_out: Sequence[str]) -> Ending | None:
    decision = picture.decision
    if picture.status is ApprovalStatus.OPEN or decision is None:
        return None
    names = [picture.names.get(PersonId(who), who) for who in decision.get("by", [])]
    comment = decision.get("comment")
    headline = CHOICE_WORDS[picture.status] + differences.made_of_it(picture, left_out)
    if names:
        headline += f" by {' and '.join(names)}"
    if isinstance(comment, str) and comment:
        headline += f": {comment}"
    return Ending(status=picture.status, headline=headline, at=_moment(decision, picture))


def _moment(decision: Mapping[str, object], picture: ApprovalPicture) -> datetime:
    at = decision.get("at")
    return from_iso(at) if isinstance(at, str) else picture.ended_at or picture.opened_at


def _snapshot(event: Delivery | None) -> Mapping[str, object]:
    found: Any = None if event is None else event.payload.get("approval")
    return found or {}
