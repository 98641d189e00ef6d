"""Modals: writing a comment, reading the details, and being told what became of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

from typing_extensions import override

from channels.asking import amount_on
from channels.base import Card, Changeable
from channels.saying import text_of
from channels.slack import limits
from channels.slack.blocks import details_blocks
from channels.slack.inputs import COMMENT, View, amount_input, form_inputs
from channels.slack.reference import Reference
from channels.slack.text import clipped, one_line, plain
from channels.visible import visible
from engine.errors import Invalid
from engine.rules.marking import AMOUNT
from engine.rules.tally import Choice

VOTE: Final = "signoff:vote"
CHANGES: Final = "signoff:changes"
FORM: Final = "signoff:form"
_FIELD: Final = "signoff:field:"
_ASKED_CHARS: Final = 200
CHANGE_TITLES: Final = {"budget": "Grant less"}
_TITLES: Final = {
    Choice.APPROVE: "Approve",
    Choice.REJECT: "Reject",
    Choice.REQUEST_CHANGES: "Ask for changes",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """What a modal is for: the choice, the reference of the button that opened it, and who pressed that."""

    choice: Choice
    reference: Reference
    by: str = ""

    @classmethod
    def read(cls, text: str) -> Self:
        """The intent that `str()` wrote.

        Raises:
            Invalid: for anything else.
        """
        choice, _, rest = text.partition(":")
        if choice not in set(_TITLES):
            raise Invalid("This button cannot be answered any more.", code="bad_reference")
        reference, _, by = rest.partition("@")
        return cls(choice=Choice(choice), reference=Reference.read(reference), by=by)

    @override
    def __str__(self) -> str:
        return f"{self.choice}:{self.reference}{f'@{self.by}' if self.by else ''}"


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


def answers_view(intent: Intent, card: Card, own: Mapping[str, object]) -> View:
    """Ask for what approving needs: a form's answers, less of a budget, or new values of marked fields.

    What this person said before, `own`, stands in the inputs of a form and of a budget. An input
    of a marked field holds, and says, what was asked, so that old and new stand side by side.
    """
    about = plain(f"{card.action}: {card.title}")
    if card.asked:
        callback, title, inputs = FORM, "Fill in and approve", form_inputs(card.asked, own)
    else:
        callback, title = CHANGES, CHANGE_TITLES.get(card.kind, "Approve with changes")
        blocks = typeable_blocks(card).items()
        inputs = [_changed(card, block, field, own) for block, field in blocks]
    return {
        **_view(title),
        "callback_id": callback,
        "private_metadata": str(intent),
        "submit": plain("Approve so", limits.VIEW_TITLE),
        "blocks": [
            {"type": "section", "block_id": "signoff:about", "text": about},
            *inputs,
            _comment(),
        ],
    }


def typeable_blocks(card: Card) -> dict[str, Changeable]:
    """The fields that can be typed here, by their blocks: those in which nothing is invisible."""
    return {
        f"{_FIELD}{number}": field
        for number, field in enumerate(card.changeable)
        if visible(field.value) == field.value and len(field.value) <= limits.COMMENT
    }


def _changed(card: Card, block: str, field: Changeable, own: Mapping[str, object]) -> View:
    amount = amount_on(card)
    if amount and field.label == AMOUNT:
        granted = own.get(AMOUNT)
        said = None if granted is None else text_of(granted)
        return amount_input(block, asked=amount, own=said)
    return _input(block, field)


def _input(block: str, field: Changeable) -> View:
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
        "block_id": block,
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
