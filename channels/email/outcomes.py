"""What a mail says about forms, budgets and changes: what is asked, what people would make of it, what they did."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from channels.asking import amount_on, asked_line
from channels.base import Card, Change, VoteLine
from channels.email import limits
from channels.email.limits import Room
from channels.email.wording import one_line
from channels.saying import said, whose

_DECIDED: Final = {
    "form": "Filled in by the approvers",
    "budget": "Granted by the approvers",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposed:
    """What some people agree to: whose it is and how far it came, and a line for each field."""

    who: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcomes:
    """What can be made of what is asked; every word safe, and cut to size."""

    amount: str  # of a budget
    asks: tuple[str, ...]  # what a form asks for, a line for each field
    opens_form: bool
    may_change: str
    proposals: tuple[Proposed, ...]
    decided_as: str
    decided: tuple[str, ...]


def outcomes(card: Card, room: Room, *, is_open: bool, may_vote: bool) -> Outcomes:
    """What `card` says of it, as far as there is room."""
    return Outcomes(
        amount=_amount(card, room),
        asks=items([asked_line(each) for each in card.asked], room) if is_open else (),
        opens_form=may_vote and bool(card.asked),
        may_change=_may_change(card, room) if may_vote else "",
        proposals=tuple(_proposals(card, room)) if is_open else (),
        decided_as=_decided_as(card),
        decided=_changes(card.decided, room),
    )


def made_of_it(vote: VoteLine, card: Card, room: Room) -> str:
    """What a vote makes of what was asked, after the words for it; empty where it leaves it as it is."""
    if not vote.changes:
        return ""
    match card.kind:
        case "form":
            filled = ", ".join(f"{each.label}: {each.new}" for each in vote.changes)
            words = f", with {filled}"
        case "budget":
            granted = vote.changes[0].new
            words = f", for {amount_on(card, granted) or granted}"
        case _:
            words = ", with changes"
    return room.fit(one_line(words), chars=limits.ITEM_CHARS_MAX)[0]


def items(texts: Sequence[str], room: Room) -> tuple[str, ...]:
    """A line for each of `texts`, as many as fit, and how many more there are."""
    fitting = [
        room.fit(one_line(text), chars=limits.ITEM_CHARS_MAX)[0]
        for text in texts[: limits.ITEMS_MAX]
    ]
    more = len(texts) - len(fitting)
    return (*fitting, f"and {more} more") if more else tuple(fitting)


def short(text: str) -> str:
    """A name."""
    return Room().fit(one_line(text), chars=limits.NAME_CHARS_MAX)[0]


def _decided_as(card: Card) -> str:
    # Where the time ran out it was nobody who answered.
    if card.status == "expired":
        return "It went on with"
    return _DECIDED.get(card.kind, "Changed by the approvers")


def _amount(card: Card, room: Room) -> str:
    return room.fit(one_line(amount_on(card)), chars=limits.NAME_CHARS_MAX)[0]


def _may_change(card: Card, room: Room) -> str:
    labels = items([each.label for each in card.changeable], room)
    if not labels:
        return ""
    if card.kind == "budget":
        return f"You may grant less: at most {_amount(card, room)}."
    return f"You may change before you approve: {', '.join(labels)}."


def _proposals(card: Card, room: Room) -> Iterable[Proposed]:
    for proposal in card.proposals[: limits.ITEMS_MAX]:
        would = "grant" if card.kind == "budget" else "approve with"
        yield Proposed(
            who=f"{short(whose(proposal.names))} would {would} ({proposal.have} of {proposal.need})",
            lines=_changes(proposal.changes, room),
        )


def _changes(changes: Sequence[Change], room: Room) -> tuple[str, ...]:
    shown_as = [said(*map(one_line, (each.label, each.old, each.new))) for each in changes]
    return items([line for text in shown_as for line in text.split("\n")], room)
