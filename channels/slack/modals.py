"""Modals: writing a comment, reading the details, and being told what became of it."""

from dataclasses import dataclass
from typing import Final, Self

from typing_extensions import override

from channels.base import Card, Changeable
from channels.slack import limits
from channels.slack.blocks import details_blocks
from channels.slack.reference import Reference
from channels.slack.text import clipped, one_line, plain
from channels.visible import visible
from engine.errors import Invalid
from engine.rules.tally import Choice

View = dict[str, object]

VOTE: Final = "signoff:vote"
CHANGES: Final = "signoff:changes"
COMMENT: Final = "signoff:comment"
_FIELD: Final = "signoff:field:"
_ASKED_CHARS: Final = 200
_TITLES: Final = {
    Choice.APPROVE: "Approve",
    Choice.REJECT: "Reject",
    Choice.REQUEST_CHANGES: "Ask for changes",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """What a modal is for: the choice, and the reference of the button that opened it."""

    choice: Choice
    reference: Reference

    @classmethod
    def read(cls, text: str) -> Self:
        """The intent that `str()` wrote.

        Raises:
            Invalid: for anything else.
        """
        choice, _, reference = text.partition(":")
        if choice not in set(_TITLES):
            raise Invalid("This button cannot be answered any more.", code="bad_reference")
        return cls(choice=Choice(choice), reference=Reference.read(reference))

    @override
    def __str__(self) -> str:
        return f"{self.choice}:{self.reference}"


def comment_view(intent: Intent, *, card: Card | None = None) -> View:
    """Ask for a comment. Until `card` is known it says only which approval this is about.

    Whether a comment must be given is for the server to say, when it is sent: the field is never
    marked as required here. What was typed survives that the card arrives later.
    """
    title = _TITLES[intent.choice]
    about = f"{card.action}: {card.title}" if card else f"Approval {intent.reference.approval}"
    return {
        **_view(title),
        "callback_id": VOTE,
        "private_metadata": str(intent),
        "submit": plain(title, limits.VIEW_TITLE),
        "blocks": [
            {"type": "section", "block_id": "signoff:about", "text": plain(about)},
            _comment(),
        ],
    }


def changes_view(intent: Intent, card: Card) -> View:
    """Ask for the new values, one input for each field that may be changed and can be shown as it is.

    Each input says what was asked, so that old and new stand side by side before anything is sent.
    """
    about = plain(f"{card.action}: {card.title}")
    return {
        **_view("Approve with changes"),
        "callback_id": CHANGES,
        "private_metadata": str(intent),
        "submit": plain("Approve so", limits.VIEW_TITLE),
        "blocks": [
            {"type": "section", "block_id": "signoff:about", "text": about},
            *(_input(number, field) for number, field in typeable(card).items()),
            _comment(),
        ],
    }


def typeable(card: Card) -> dict[int, Changeable]:
    """The fields that can be typed here, by their number: those in which nothing is invisible."""
    return {
        number: field
        for number, field in enumerate(card.changeable)
        if visible(field.value) == field.value and len(field.value) <= limits.COMMENT
    }


def field_block(card: Card, label: str) -> str | None:
    """The input of the field `label`; None where it has none."""
    fields = typeable(card).items()
    return next((f"{_FIELD}{number}" for number, field in fields if field.label == label), None)


def _input(number: int, field: Changeable) -> View:
    element: View = {
        "type": "plain_text_input",
        "action_id": COMMENT,
        "multiline": "\n" in field.value,
        "max_length": limits.COMMENT,
        "initial_value": field.value,
    }
    asked = f"{one_line(field.label)} (asked: {clipped(one_line(field.value), _ASKED_CHARS)})"
    return {
        "type": "input",
        "block_id": f"{_FIELD}{number}",
        "label": plain(asked, limits.INPUT_LABEL),
        "element": element,
    }


def _comment() -> View:
    return {
        "type": "input",
        "block_id": COMMENT,
        "optional": True,
        "label": plain("Comment", limits.INPUT_LABEL),
        "element": {
            "type": "plain_text_input",
            "action_id": COMMENT,
            "multiline": True,
            "max_length": limits.COMMENT,
            "placeholder": plain("Why?", limits.PLACEHOLDER),
        },
    }


def details_view(card: Card) -> View:
    """Everything that Slack may show of `card`, to read."""
    return {**_view("Details"), "blocks": list(details_blocks(card))}


def message_view(title: str, text: str) -> View:
    """One sentence, and nothing to send."""
    block = {"type": "section", "block_id": "signoff:message", "text": plain(text)}
    return {**_view(title), "blocks": [block]}


def _view(title: str) -> View:
    return {
        "type": "modal",
        "title": plain(title, limits.VIEW_TITLE),
        "close": plain("Close", limits.VIEW_TITLE),
    }
