"""What a form asks and a budget is about, in a few words that every surface can show."""

from collections.abc import Mapping, Sequence
from typing import Final

from channels.base import Card
from channels.saying import text_of
from engine.rules.forms import Field, Input
from engine.rules.marking import AMOUNT
from engine.rules.wording import is_sequence

NONE: Final = "none"  # what is said where nothing was chosen


def wanted(asked: Field) -> str:
    """What an answer has to keep to, such as "1 to 9"; empty where nothing more is to be said."""
    if asked.input not in _UNITS:
        return _PLAIN.get(asked.input, "")
    before, unit = _UNITS[asked.input]
    # That a text has at least one character goes without saying.
    is_short = asked.input in {Input.TEXT, Input.LINES} and asked.least is not None
    least = None if is_short and asked.least in {0, 1} else asked.least
    limits = _between(least, asked.most)
    return f"{before}{limits}{unit}" if limits else _PLAIN.get(asked.input, "")


def asked_line(asked: Field, *, options_chars_max: int | None = None) -> str:
    """One field as a line of text: its label, whether it may be left out, what it takes, its default.

    Options are all named, or as many of them as fit into `options_chars_max`.
    """
    optional = "" if asked.is_required else " (optional)"
    takes = [_choices(asked, options_chars_max), wanted(asked), _preset(asked)]
    said = "; ".join(each for each in takes if each)
    return f"{asked.label}{optional}: {said}" if said else f"{asked.label}{optional}"


def answer_text(asked: Field, value: object) -> str:
    """An answer as the form's reader saw it: options by their labels."""
    labels: dict[object, str] = {each.value: each.label for each in asked.options}
    if is_sequence(value):
        return _listed([labels.get(each, text_of(each)) for each in value])
    return labels.get(value) or text_of(value)


def _listed(chosen: Sequence[str]) -> str:
    """Several labels, or "none"; quoted where they might be read as others than they are."""
    said = ", ".join(chosen) or NONE
    is_plain = said.count(",") == max(len(chosen) - 1, 0) and '"' not in said
    return said if is_plain and list(chosen) != [NONE] else text_of(list(chosen))


def amount_of(details: Mapping[str, object]) -> str:
    """The amount of a budget with its currency, wherever that is written."""
    amount, currency = str(details[AMOUNT]), details.get("currency")
    return amount if " " in amount or currency is None else f"{amount} {currency}"


def amount_on(card: Card, amount: str | None = None) -> str:
    """What the budget of `card` asks for, or another `amount` of it, with its currency; empty if that is not shown."""
    shown = {fact.label: fact.value for fact in card.facts}
    if card.kind != "budget" or AMOUNT not in shown:
        return ""
    return amount_of(shown if amount is None else {**shown, AMOUNT: amount})


def _between(least: float | None, most: float | None) -> str:
    match least, most:
        case None, None:
            return ""
        case _, None:
            return f"at least {text_of(least)}"
        case None, _:
            return f"at most {text_of(most)}"
        case _:
            return text_of(least) if least == most else f"{text_of(least)} to {text_of(most)}"


def _choices(asked: Field, chars_max: int | None) -> str:
    labels = [each.label for each in asked.options]
    if not labels:
        return ""
    named = labels[:1]
    for label in labels[1:]:
        if chars_max is not None and len(", ".join((*named, label))) > chars_max:
            break
        named.append(label)
    more = len(labels) - len(named)
    listed = ", ".join(named) + (f" and {more} more" if more else "")
    return f"{'one' if asked.input is Input.ONE else 'any'} of {listed}"


def _preset(asked: Field) -> str:
    if asked.default is None:
        return ""
    return f"{answer_text(asked, asked.default)} unless you say otherwise"


_UNITS: Final[Mapping[Input, tuple[str, str]]] = {
    Input.TEXT: ("", " characters"),
    Input.LINES: ("", " characters"),
    Input.WHOLE: ("", ""),
    Input.NUMBER: ("", ""),
    Input.SEVERAL: ("choose ", ""),
}
_PLAIN: Final[Mapping[Input, str]] = {
    Input.WHOLE: "a whole number",
    Input.NUMBER: "a number",
    Input.YES_NO: "yes or no",
    Input.DATE: "a day",
}
