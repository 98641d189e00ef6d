"""One press, one vote: who it is, whether it was heard before, and the one door."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from channels.slack import filled, wire
from channels.slack.asked import is_one_press
from channels.slack.blocks import card_message
from channels.slack.desk import NOT_CONFIRMED, Delivery, Desk, log
from channels.slack.reference import Reference
from engine.errors import EngineError, Invalid, Unavailable
from engine.ids import ApprovalId
from engine.rules.tally import Choice
from engine.rules.values import BadChange
from engine.services import people, votes
from engine.services.people import Person
from engine.services.votes import Ballot, CastReceipt
from engine.store.database import Transaction

IDENTIFIED_BY: Final = "slack"
_FIRST: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody wants to vote. Without a `reference` it is the first version, never an edited one."""

    approval: str
    choice: Choice
    comment: str | None = None
    reference: Reference | None = None
    inputs: wire.State | None = None  # of a window in which fields are changed or filled in

    @classmethod
    def on(cls, reference: Reference, choice: Choice, comment: str | None = None) -> "Wish":
        """A vote on exactly what a button stood under."""
        return cls(approval=reference.approval, choice=choice, comment=comment, reference=reference)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What to tell them. `asks_comment`: the same again, with a comment, would be taken."""

    text: str
    recorded: bool = False
    asks_comment: bool = False
    about: str | None = None  # the input that it is about


async def vote(desk: Desk, delivery: Delivery, wish: Wish) -> Told | None:
    """Cast the vote and say truthfully what became of it; None if this request was heard before.

    Whatever it says is said after the commit. It never raises: a store that is slow or away, and
    anything unforeseen, is "not confirmed", because the vote may still land and counts once.
    """
    try:
        answer = await desk.once(delivery, lambda tx: _cast(tx, desk, delivery, wish))
    except Unavailable:
        told: Told | None = Told(text=NOT_CONFIRMED)
    except BadChange as error:
        told = Told(text=str(error), about=error.field)
    except EngineError as error:
        told = Told(text=str(error))
    except Exception as error:  # border: a vote is answered truthfully, whatever the store does
        log.error("slack.vote_failed", error=type(error).__name__, approval=wish.approval)
        told = Told(text=NOT_CONFIRMED)
    else:
        told = _told(answer)
    log.info(
        "slack.vote_answered",
        approval=wish.approval,
        who=delivery.caller.identity,
        recorded=bool(told and told.recorded),
    )
    return told


def linked(tx: Transaction, desk: Desk, delivery: Delivery) -> Person | None:
    """The person who pressed, if an operator linked them."""
    return people.by_identity(tx, delivery.tenant, "slack", delivery.caller.identity)


def not_linked(delivery: Delivery) -> str:
    """What somebody is told who is nobody here."""
    return (
        "You are not linked to a person here; ask an operator to add "
        f'`slack = "{delivery.caller.identity}"` to your entry.'
    )


def _cast(tx: Transaction, desk: Desk, delivery: Delivery, wish: Wish) -> CastReceipt | Told:
    person = linked(tx, desk, delivery)
    if person is None:
        votes.refused(
            tx,
            delivery.tenant,
            what=f"{wish.choice} {wish.approval}",
            who=f"slack:{delivery.caller.identity}",
            why="not_linked",
            channel="slack",
        )
        return Told(text=not_linked(delivery))
    seen = wish.reference
    refusal = None if seen else _not_by_words(tx, desk, wish, person)
    if refusal is not None:
        return Told(
            text=f"{refusal} Nothing was recorded; open {desk.page(wish.approval)} to decide."
        )
    return votes.cast(
        tx,
        Ballot(
            tenant=delivery.tenant,
            approval=wish.approval,
            person=person.id,
            choice=wish.choice,
            comment=_said(wish.comment),
            typed=_typed(tx, desk, wish, person),
            digest=seen.digest if seen else None,
            version=seen.version if seen else None,
            channel="slack",
            identified_by=IDENTIFIED_BY,
        ),
    )


def _typed(tx: Transaction, desk: Desk, wish: Wish, person: Person) -> Mapping[str, str] | None:
    if wish.inputs is None or wish.reference is None:
        return None
    card = desk.card_of(tx, person.tenant, ApprovalId(wish.approval), person.id)
    if card.version != wish.reference.version:
        return {}  # inputs of another version: the one door says so, and puts it on record
    if card.digest != wish.reference.digest:
        raise Invalid("This window cannot be answered any more. Nothing was recorded.")
    return filled.typed(card, wish.inputs)


def _not_by_words(tx: Transaction, desk: Desk, wish: Wish, person: Person) -> str | None:
    """Why words cannot answer this open approval: they do not say what was before somebody's eyes."""
    card = desk.card_of(tx, person.tenant, ApprovalId(wish.approval), person.id)
    if card.status != "open":
        return None
    if wish.choice is Choice.APPROVE and card.needs_answers:
        return "It asks you to fill in a form, and words do not answer it."
    if card.version != _FIRST:
        return "It was edited, and words do not say which version you read."
    is_by_press = wish.choice is not Choice.APPROVE or is_one_press(card)
    if not card_message(card).can_vote or not is_by_press:
        return "Slack cannot show all that would be approved."
    return None


def _told(answer: CastReceipt | Told | None) -> Told | None:
    if not isinstance(answer, CastReceipt):
        return answer
    refusal = answer.refusal
    return Told(
        text=answer.message,
        recorded=answer.recorded,
        asks_comment=isinstance(refusal, Invalid) and refusal.code == "comment_required",
        about=refusal.field if isinstance(refusal, BadChange) else None,
    )


def _said(comment: str | None) -> str | None:
    # No keyboard types NUL, and PostgreSQL cannot keep it.
    words = (comment or "").replace("\x00", "").strip()
    return words or None
