"""What a form asks for, and how much a budget is about, as blocks of a card."""

from collections.abc import Iterator
from typing import Final

from channels.asking import amount_on, asked_line
from channels.base import Card
from channels.slack import limits
from channels.slack.facts import Block, bold
from channels.slack.text import one_line, plain
from engine.rules.marking import AMOUNT

OPTIONS_CHARS: Final = 160  # of one field on the card; its window shows all of them


def asked_blocks(card: Card) -> Iterator[Block]:
    """One line for each field, with its limits and its default; nothing once it is decided."""
    if card.asked and card.ending is None and card.status == "open":
        heading = "To be filled in" if card.needs_answers else "To be filled in, or left as it is"
        yield {"type": "section", "block_id": "signoff:asked", "text": bold(heading)}
        yield {"type": "section", "block_id": "signoff:fields", "text": plain(_lines(card))}


def is_one_press(card: Card) -> bool:
    """Whether one press can approve: nothing must be answered, and every default stands on the card."""
    return not card.needs_answers and len(_lines(card)) <= limits.SECTION_TEXT


def amount_blocks(card: Card) -> Iterator[Block]:
    """How much a budget asks for, or was granted, in large letters."""
    amount = amount_on(card)
    if not amount:
        return
    said = f"{amount} asked for"
    if card.status == "approved":
        changed = next((each.new for each in card.decided if each.label == AMOUNT), None)
        granted = amount_on(card, changed)
        said = f"{granted} granted" if granted == amount else f"{granted} granted of {amount}"
    text = plain(one_line(said), limits.HEADER)
    yield {"type": "header", "block_id": "signoff:amount", "text": text}


def _lines(card: Card) -> str:
    said = (asked_line(each, options_chars_max=OPTIONS_CHARS) for each in card.asked)
    return "\n".join(f"• {one_line(line)}" for line in said)
