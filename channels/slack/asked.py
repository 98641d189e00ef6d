"""What a form asks for, and how much a budget is about, as blocks of a card."""

from collections.abc import Iterator
from typing import Final

from channels.asking import asked_line
from channels.base import Card
from channels.slack import limits
from channels.slack.facts import Block, bold
from channels.slack.text import one_line, plain
from engine.rules.marking import AMOUNT

CURRENCY: Final = "currency"
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
    amount = amount_of(card)
    if amount is None:
        return
    said = f"{amount} asked for"
    if card.status == "approved":
        [granted] = [each.new for each in card.decided if each.label == AMOUNT] or [amount]
        granted = with_currency(card, granted)
        said = f"{granted} granted" if granted == amount else f"{granted} granted of {amount}"
    text = plain(one_line(said), limits.HEADER)
    yield {"type": "header", "block_id": "signoff:amount", "text": text}


def amount_of(card: Card) -> str | None:
    """The amount that a budget asks for, with its currency; None where there is none to be shown."""
    amounts = [each.value for each in card.changeable if each.label == AMOUNT]
    return with_currency(card, amounts[0]) if card.kind == "budget" and amounts else None


def with_currency(card: Card, amount: str) -> str:
    """`amount` with the currency that stands beside it, where it has none of its own."""
    beside = next((fact.value for fact in card.facts if fact.label == CURRENCY), "")
    return amount if " " in amount or not beside else f"{amount} {beside}"


def _lines(card: Card) -> str:
    said = (asked_line(each, options_chars_max=OPTIONS_CHARS) for each in card.asked)
    return "\n".join(f"• {one_line(line)}" for line in said)
