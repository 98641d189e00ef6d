"""Forms that approvers fill in: which JSON schemas are forms, and the fields they ask for.

The subset is that of flat elicitation schemas (Model Context Protocol, 2025-11-25) without formats that
nobody could type on a phone. A keyword that is not understood is refused: a limit that is not kept would lie.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from engine.rules.values import NUMBER_MAX, TEXT_CHARS_MAX
from engine.rules.wording import BadRule, is_sequence, is_table, is_whole, shown

FIELDS_MAX: Final = 20
OPTIONS_MAX: Final = 100  # of a menu in Slack
OPTION_CHARS_MAX: Final = 75  # Slack: text of an option
LABEL_CHARS_MAX: Final = 100
HELP_CHARS_MAX: Final = 500
LINE_CHARS_MAX: Final = 200  # a text that may be longer is written on several lines

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}", re.ASCII)
_LINES: Final = frozenset({"textarea", "multi-line", "multiline"})
_SAID: Final = frozenset({"type", "title", "description", "default"})
_TOP: Final = frozenset({"$schema", "type", "properties", "required", "additionalProperties"})


class Input(StrEnum):
    """What is put in, and so what a surface shows to put it in."""

    TEXT = "text"
    LINES = "lines"
    WHOLE = "whole"
    NUMBER = "number"
    YES_NO = "yes_no"
    ONE = "one"
    SEVERAL = "several"
    DATE = "date"


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One of those to choose from: what is answered, and what people read."""

    value: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One thing that is asked. `least` and `most` are of a number, of a text's characters, or of choices.

    `default` is None where nothing is answered unless somebody does.
    """

    name: str
    label: str
    help: str
    input: Input
    is_required: bool
    default: object = None
    least: float | None = None
    most: float | None = None
    options: tuple[Option, ...] = ()


def fields_of(form: object) -> tuple[Field, ...]:
    """The fields of a form, in the order in which its schema names them.

    Their defaults are not checked here.

    Raises:
        BadRule: `invalid_form`, naming the field and the keyword that is not understood.
    """
    if not is_table(form) or form.get("type", "object") != "object":
        raise bad_form("", "form is a JSON schema of the type object, with properties")
    unknown = [key for key in form if key not in _TOP]
    if unknown or form.get("additionalProperties", False) is not False:
        raise bad_form("", f"{shown((unknown or ['additionalProperties'])[0])} is not understood")
    properties, required = form.get("properties"), form.get("required", ())
    if not is_table(properties) or not 1 <= len(properties) <= FIELDS_MAX:
        raise bad_form("", f"ask for 1 to {FIELDS_MAX} fields under properties")
    if not is_sequence(required) or not all(name in list(properties) for name in required):
        raise bad_form("", "required lists names of properties")
    return tuple(
        _field(name, asked, is_required=name in required) for name, asked in properties.items()
    )


def as_frozen(form: object) -> Mapping[str, object] | None:
    """The form as people are asked: a box that nobody ticks says no, so that is its default in writing.

    Without it whoever leaves a page's boxes alone would answer something else than whoever leaves them
    out over the API, and their votes would not add up. What is no form is left to `fields_of`.
    """
    properties = form.get("properties") if is_table(form) else None
    if not is_table(form) or not is_table(properties):
        return None
    required = form.get("required", ())
    is_left = {name: is_sequence(required) and name in required for name in list(properties)}
    frozen = {
        str(name): asked if is_left[name] or not is_table(asked) else _with_default(asked)
        for name, asked in properties.items()
    }
    return {**{str(key): value for key, value in form.items()}, "properties": frozen}


def _with_default(asked: Mapping[object, object]) -> Mapping[object, object]:
    match asked.get("type"):
        case "boolean":
            return {"default": False, **asked}
        case "array" if not asked.get("minItems"):
            return {"default": [], **asked}
        case _:
            return asked


def bad_form(field: str, why: str) -> BadRule:
    """The refusal of a form, for a reason about `field`, or about all of it."""
    about = f" {shown(field)}:" if field else ""
    return BadRule("invalid_form", f"This form cannot be asked:{about} {why}.")


def _field(name: object, asked: object, *, is_required: bool) -> Field:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise bad_form(str(name), "a field's name has letters, digits, _ and -, 64 at most")
    if not is_table(asked):
        raise bad_form(name, "describe the field by a JSON schema")
    kind = _input(name, asked)
    understood = _SAID | _KEYWORDS[kind]
    for key in asked:
        if key not in understood:
            possible = ", ".join(sorted(understood))
            raise bad_form(name, f"{shown(key)} is not understood; possible: {possible}")
    least, most = _limits(name, asked, kind)
    return Field(
        name=name,
        label=_line(name, asked.get("title", name), LABEL_CHARS_MAX),
        help=_line(name, asked.get("description", ""), HELP_CHARS_MAX, may_be_empty=True),
        input=kind,
        is_required=is_required,
        default=asked.get("default"),
        least=least,
        most=most,
        options=_options(name, asked, kind),
    )


def _input(name: str, asked: Mapping[object, object]) -> Input:
    match asked.get("type"), asked.get("format"):
        case "boolean", _:
            return Input.YES_NO
        case "integer", _:
            return Input.WHOLE
        case "number", _:
            return Input.NUMBER
        case "array", _:
            return Input.SEVERAL
        case "string", None if "enum" in asked or "oneOf" in asked:
            return Input.ONE
        case "string", "date":
            return Input.DATE
        case "string", str() as format if format in _LINES:
            return Input.LINES
        case "string", None:
            longest = asked.get("maxLength")
            is_long = is_whole(longest) and longest > LINE_CHARS_MAX
            return Input.LINES if is_long else Input.TEXT
        case "string", _:
            raise bad_form(name, "format is date or textarea")
        case _:
            raise bad_form(name, "type is string, number, integer, boolean or array")


_KEYWORDS: Final[Mapping[Input, frozenset[str]]] = {
    Input.TEXT: frozenset({"minLength", "maxLength"}),
    Input.LINES: frozenset({"minLength", "maxLength", "format"}),
    Input.WHOLE: frozenset({"minimum", "maximum"}),
    Input.NUMBER: frozenset({"minimum", "maximum"}),
    Input.YES_NO: frozenset(),
    Input.ONE: frozenset({"enum", "oneOf"}),
    Input.SEVERAL: frozenset({"items", "minItems", "maxItems", "uniqueItems"}),
    Input.DATE: frozenset({"format"}),
}
_LIMITS: Final[Mapping[Input, tuple[str, str, int, int]]] = {
    Input.TEXT: ("minLength", "maxLength", 0, TEXT_CHARS_MAX),
    Input.LINES: ("minLength", "maxLength", 0, TEXT_CHARS_MAX),
    Input.WHOLE: ("minimum", "maximum", -NUMBER_MAX, NUMBER_MAX),
    Input.NUMBER: ("minimum", "maximum", -NUMBER_MAX, NUMBER_MAX),
    Input.SEVERAL: ("minItems", "maxItems", 0, OPTIONS_MAX),
}


def _limits(
    name: str, asked: Mapping[object, object], kind: Input
) -> tuple[float | None, float | None]:
    if kind not in _LIMITS:
        return None, None
    low, high, smallest, largest = _LIMITS[kind]
    limits: list[float | None] = []
    for key in (low, high):
        limit = asked.get(key)
        if limit is not None and not _is_number(limit, may_be_part=kind is Input.NUMBER):
            raise bad_form(name, f"{key} is a number from {smallest} to {largest}")
        limits.append(limit if isinstance(limit, int | float) else None)
    least, most = limits
    found = [each for each in limits if each is not None]
    if found != sorted(found) or not all(smallest <= each <= largest for each in found):
        raise bad_form(name, f"{low} and {high} go from {smallest} to {largest}, in this order")
    return least, most


def _is_number(limit: object, *, may_be_part: bool) -> bool:
    return is_whole(limit) or (may_be_part and isinstance(limit, float))


def _options(name: str, asked: Mapping[object, object], kind: Input) -> tuple[Option, ...]:
    if kind not in {Input.ONE, Input.SEVERAL}:
        return ()
    source = asked
    if kind is Input.SEVERAL:
        items = asked.get("items")
        if not is_table(items) or items.get("type", "string") != "string":
            raise bad_form(name, "items lists the texts to choose from, under enum")
        if asked.get("uniqueItems", True) is not True or set(items) - {*_CHOICES, "type"}:
            raise bad_form(name, "items has enum or anyOf, and each is chosen once")
        source = items
    given = [source[key] for key in _CHOICES if key in source]
    if len(given) != 1 or not is_sequence(given[0]) or not 1 <= len(given[0]) <= OPTIONS_MAX:
        raise bad_form(name, f"list 1 to {OPTIONS_MAX} texts to choose from, under enum")
    options = tuple(_option(name, each) for each in given[0])
    if len({each.value for each in options}) != len(options):
        raise bad_form(name, "an option is there twice")
    return options


_CHOICES: Final = ("enum", "oneOf", "anyOf")


def _option(name: str, given: object) -> Option:
    if not is_table(given):
        value = _line(name, given, OPTION_CHARS_MAX)
        return Option(value=value, label=value)
    if set(given) - {"const", "title"}:
        raise bad_form(name, "an option has const, which is answered, and title, which is read")
    value = _line(name, given.get("const"), OPTION_CHARS_MAX)
    return Option(value=value, label=_line(name, given.get("title", value), OPTION_CHARS_MAX))


def _line(name: str, text: object, chars_max: int, *, may_be_empty: bool = False) -> str:
    """A text that is shown on one line."""
    is_line = isinstance(text, str) and len(text) <= chars_max and text.isprintable()
    if not isinstance(text, str) or not is_line or not (may_be_empty or text.strip() == text != ""):
        raise bad_form(name, f"{shown(text)} is no line of at most {chars_max} characters")
    return text
