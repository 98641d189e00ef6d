"""The inputs of a window: one for each field of a form, of the kind that suits a thumb."""

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final

from channels.asking import wanted
from channels.saying import text_of
from channels.slack import limits
from channels.slack.text import one_line, plain
from channels.visible import visible
from engine.rules.forms import Field, Input
from engine.rules.values import TEXT_CHARS_MAX
from engine.rules.wording import is_sequence

View = dict[str, object]

COMMENT: Final = "signoff:comment"
PUT: Final = "signoff:put"  # what every input of a form is called within its block
_ASKED: Final = "signoff:asked:"


def form_inputs(asked: Iterable[Field], own: Mapping[str, object]) -> list[View]:
    """An input for each field, holding what this person answered before, else its default."""
    return [
        _input(number, field, own.get(field.name, field.default))
        for number, field in enumerate(asked)
    ]


def form_block(number: int) -> str:
    """The block of the field that the form asks for at this place."""
    return f"{_ASKED}{number}"


def is_fillable(asked: tuple[Field, ...]) -> bool:
    """Whether a window can show all of it as it is: nothing cut, and nothing invisible."""
    texts = [
        text
        for field in asked
        for text in (field.label, field.help, *(each.label for each in field.options))
    ]
    texts += [field.default for field in asked if isinstance(field.default, str)]
    # Words alone may be too many: then no window is made of them to be measured.
    if len(json.dumps(texts)) > limits.VIEW_CHARS or any(visible(each) != each for each in texts):
        return False
    return len(json.dumps(form_inputs(asked, {}))) <= limits.VIEW_CHARS


def element_type(field: Field) -> str:
    """The kind of element in which `field` is answered."""
    is_short = len(field.options) <= limits.CHOICE_OPTIONS
    match field.input:
        case Input.TEXT | Input.LINES:
            return "plain_text_input"
        case Input.WHOLE | Input.NUMBER:
            return "number_input"
        case Input.DATE:
            return "datepicker"
        case Input.YES_NO:
            return "radio_buttons" if is_chosen_between(field) else "checkboxes"
        case Input.ONE:
            return "radio_buttons" if is_short else "static_select"
        case Input.SEVERAL:
            return "checkboxes" if is_short else "multi_static_select"


def is_chosen_between(field: Field) -> bool:
    """Whether yes and no stand side by side: a box that nobody ticked would answer what must be asked."""
    return field.input is Input.YES_NO and field.is_required and field.default is None


def may_be_empty(field: Field) -> bool:
    """Whether leaving it empty is an answer, or none is needed."""
    match field.input:
        case Input.YES_NO:
            return not is_chosen_between(field)
        case Input.SEVERAL:
            return not field.is_required or not field.least
        case _:
            return not field.is_required


def amount_input(block: str, *, asked: str, own: str | None) -> View:
    """Ask for an amount of at most `asked`; `own` is what this person granted before."""
    most = asked.partition(" ")[0]
    places = len(most.partition(".")[2])
    said = f"Amount to grant, at most {asked}"
    element: View = {
        "type": "number_input",
        "action_id": COMMENT,
        "is_decimal_allowed": True,
        "min_value": format(Decimal(1).scaleb(-places), "f"),
        "max_value": most,
        "placeholder": plain(f"at most {asked}", limits.PLACEHOLDER),
    }
    if own is not None:
        element["initial_value"] = own.partition(" ")[0]
    return {
        "type": "input",
        "block_id": block,
        "label": plain(said, limits.INPUT_LABEL),
        "element": element,
    }


def _input(number: int, field: Field, value: object) -> View:
    block: View = {
        "type": "input",
        "block_id": form_block(number),
        "label": plain(one_line(field.label), limits.INPUT_LABEL),
        "optional": may_be_empty(field),
        "element": {"type": element_type(field), "action_id": PUT, **_element(field, value)},
    }
    if hint := _hint(field):
        block["hint"] = plain(hint, limits.INPUT_LABEL)
    return block


def _hint(field: Field) -> str:
    is_limited = field.least is not None or field.most is not None
    limits_of_it = wanted(field) if is_limited else ""
    help_with_it = one_line(field.help) if field.help else ""
    return " · ".join(filter(None, (help_with_it, limits_of_it[:1].upper() + limits_of_it[1:])))


def _element(field: Field, value: object) -> View:
    match field.input:
        case Input.TEXT | Input.LINES:
            return _text(field, value)
        case Input.WHOLE | Input.NUMBER:
            return _number(field, value)
        case Input.DATE:
            return {"initial_date": value} if value else {}
        case Input.YES_NO:
            return _yes_no(field, value)
        case Input.ONE | Input.SEVERAL:
            return _choices(field, value)


def _yes_no(field: Field, value: object) -> View:
    yes, no = _option(0, "Yes"), _option(1, "No")
    if not is_chosen_between(field):
        return {"options": [yes], **({"initial_options": [yes]} if value is True else {})}
    chosen = {"initial_option": yes if value else no} if isinstance(value, bool) else {}
    return {"options": [yes, no], **chosen}


def _text(field: Field, value: object) -> View:
    element: View = {
        "multiline": field.input is Input.LINES,
        "max_length": int(field.most or TEXT_CHARS_MAX),
    }
    if field.least:
        element["min_length"] = int(field.least)
    if isinstance(value, str) and visible(value) == value:
        element["initial_value"] = value
    return element


def _number(field: Field, value: object) -> View:
    given = {"min_value": field.least, "max_value": field.most, "initial_value": value}
    numbers = {name: _figure(each) for name, each in given.items() if isinstance(each, int | float)}
    return {"is_decimal_allowed": field.input is Input.NUMBER, **numbers}


def _figure(number: float) -> str:
    # Slack takes numbers as texts, without an exponent.
    return str(int(number)) if number == int(number) else format(Decimal(str(number)), "f")


def _choices(field: Field, value: object) -> View:
    options = [_option(number, each.label) for number, each in enumerate(field.options)]
    of_value = {each.value: option for each, option in zip(field.options, options, strict=True)}
    wanted = value if is_sequence(value) else [value]
    chosen = [of_value[text] for text in map(text_of, wanted) if text in of_value]
    element: View = {"options": options}
    if field.input is Input.ONE and chosen:
        element["initial_option"] = chosen[0]
    elif chosen:
        element["initial_options"] = chosen
    if element_type(field) == "multi_static_select" and field.most:
        element["max_selected_items"] = int(field.most)
    return element


def _option(number: int, label: str) -> View:
    return {"text": plain(one_line(label), limits.OPTION_TEXT), "value": str(number)}
