"""What approvers may put into the fields of a form, and how it is kept."""

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Final

from engine.rules.forms import Field, Input
from engine.rules.values import (
    NUMBER_MAX,
    TEXT_CHARS_MAX,
    BadChange,
    lines,
    read_number,
    read_yes_no,
    unkeepable,
)
from engine.rules.wording import is_sequence, shown

_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


class BadAnswer(BadChange):
    """A form was not filled in as it asks. `field` is what it is about; nothing was recorded."""

    code = "invalid_form"


def kept(field: Field, value: object) -> object:
    """`value` as it is kept where `field` asks for it; None is no answer.

    What is chosen of several is kept in the order in which the form lists it, so that people who mean
    the same say the same.

    Raises:
        BadAnswer: for a value of another kind, beyond the field's limits, or that is none of its options.
    """
    if value is None:
        return None
    return _KEPT[field.input](field, value)


def read_typed(field: Field, text: str) -> object:
    """What somebody typed or chose, as a value for `field`; not checked any further.

    What is chosen of several stands on a line each. Nothing typed is no answer; but where one may
    choose none of several, nothing chosen is one.

    Raises:
        BadAnswer: if it is no number, or no yes or no, where one is needed.
    """
    said = text.strip()
    if not said:
        return [] if field.input is Input.SEVERAL and not field.least else None
    match field.input:
        case Input.YES_NO:
            return _understood(field, read_yes_no(said))
        case Input.WHOLE | Input.NUMBER:
            return _understood(field, read_number(said))
        case Input.SEVERAL:
            return lines(said).split("\n")
        case Input.LINES:
            return lines(text)
        case Input.TEXT | Input.ONE | Input.DATE:
            return said


def missing(field: Field) -> BadAnswer:
    """The refusal of a consent that leaves out what is required."""
    return BadAnswer(field.name, f"{shown(field.label)} must be answered to approve.")


def _understood(field: Field, read: object) -> object:
    if read is None:
        raise _bad(field, _WANTED[field.input])
    return read


def _bad(field: Field, wanted: str) -> BadAnswer:
    return BadAnswer(field.name, f"{shown(field.label)} needs {wanted}.")


def _text(field: Field, value: object) -> str:
    least, most = max(1, int(field.least or 1)), int(field.most or TEXT_CHARS_MAX)
    if not isinstance(value, str) or not value.strip() or not least <= len(value) <= most:
        raise _bad(field, f"{least} to {most} characters")
    if unkeepable(value) or (field.input is Input.TEXT and "\n" in value):
        raise _bad(field, "a text without characters that cannot be kept, on one line")
    return value


def _number(field: Field, value: object) -> int | float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    # Not a number, and infinity, are not within any limits either.
    if not isinstance(value, int | float) or not is_number or not abs(value) <= NUMBER_MAX:
        raise _bad(field, _WANTED[field.input])
    if field.input is Input.WHOLE and value != int(value):
        raise _bad(field, _WANTED[field.input])
    if field.least is not None and value < field.least:
        raise _bad(field, f"at least {field.least}")
    if field.most is not None and value > field.most:
        raise _bad(field, f"at most {field.most}")
    return int(value) if value == int(value) else value


def _yes_no(field: Field, value: object) -> bool:
    if not isinstance(value, bool):
        raise _bad(field, _WANTED[field.input])
    return value


def _one(field: Field, value: object) -> str:
    if not isinstance(value, str) or value not in {each.value for each in field.options}:
        raise _bad(field, _listed(field))
    return value


def _several(field: Field, value: object) -> list[str]:
    chosen = value if is_sequence(value) else [value]
    possible = [each.value for each in field.options]
    if not all(each in possible for each in chosen):
        raise _bad(field, _listed(field))
    kept_in_order = [each for each in possible if each in chosen]
    least, most = int(field.least or 0), int(field.most or len(possible))
    if len(kept_in_order) != len(chosen) or not least <= len(chosen) <= most:
        raise _bad(field, f"{least} to {most} of these, each once: {', '.join(possible)}")
    return kept_in_order


def _date(field: Field, value: object) -> str:
    if not isinstance(value, str) or not _DATE.fullmatch(value) or not _is_day(value):
        raise _bad(field, _WANTED[field.input])
    return value


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _listed(field: Field) -> str:
    return f"one of {', '.join(each.value for each in field.options)}"


_WANTED: Final[Mapping[Input, str]] = {
    Input.WHOLE: "a whole number",
    Input.NUMBER: "a number",
    Input.YES_NO: "yes or no",
    Input.DATE: "a day such as 2026-11-22",
}
_KEPT: Final[Mapping[Input, Callable[[Field, object], object]]] = {
    Input.TEXT: _text,
    Input.LINES: _text,
    Input.WHOLE: _number,
    Input.NUMBER: _number,
    Input.YES_NO: _yes_no,
    Input.ONE: _one,
    Input.SEVERAL: _several,
    Input.DATE: _date,
}
