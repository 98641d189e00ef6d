"""Who may read which approval in Slack: the people it is about, and nobody else."""

from collections.abc import Mapping

from channels.base import Card
from channels.slack.desk import Delivery, Desk
from channels.slack.voting import linked, not_linked
from engine.errors import NotEligible, NotFound
from engine.ids import ApprovalId
from engine.rules.tally import Choice
from engine.services import approvals
from engine.services.people import Person
from engine.store.database import Transaction


def reader(tx: Transaction, desk: Desk, delivery: Delivery) -> Person:
    """The person who asks to read.

    Raises:
        NotEligible: if they are linked to nobody; the message says how to mend that.
    """
    person = linked(tx, desk, delivery)
    if person is None:
        raise NotEligible(not_linked(delivery))
    return person


def card_for(tx: Transaction, desk: Desk, delivery: Delivery, approval: str) -> Card:
    """The card of `approval` for the person who asks: a requester, an approver or a voter.

    Raises:
        NotEligible: if they are linked to nobody.
        NotFound: if there is no such approval, or it is none of theirs: the two look the same.
    """
    return own_card_for(tx, desk, delivery, approval)[0]


def own_card_for(
    tx: Transaction, desk: Desk, delivery: Delivery, approval: str
) -> tuple[Card, Mapping[str, object]]:
    """The same, and what whoever asks would change or filled in so far, by field. Raises as it does."""
    person = reader(tx, desk, delivery)
    missing = NotFound(f"There is no approval {approval} that you could see.")
    try:
        picture = approvals.picture(tx, delivery.tenant, approval)
    except NotFound:
        raise missing from None
    if person.id not in picture.names:
        raise missing
    own = [
        vote.changed
        for vote in picture.votes
        if vote.person == person.id and vote.choice is Choice.APPROVE and picture.counts(vote)
    ]
    card = desk.card_of(tx, delivery.tenant, ApprovalId(picture.id), person.id)
    return card, own[0] if own else {}
