"""Forms and budgets (I1), judged by rules of our own: what was filled in is what was asked, no more is granted."""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from bot.chaos.checker.spelling import is_table

_DAY: Final = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])", re.ASCII)
_AMOUNT: Final = re.compile(r"(\d+(?:\.\d+)?)((?: [A-Z]{3})?)", re.ASCII)
_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
}


def kind_of(content: Mapping[str, Any]) -> str:
    """What approvers may do with this content."""
    if content.get("form") is not None:
        return "form"
    if content.get("kind") == "budget":
        return "budget"
    return "modify" if content.get("fields") else "binary"


def filled_in(content: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """What the form holds: its defaults, and over them what was changed; what is nothing is not there."""
    asked = content["form"]["properties"]
    found = {name: each.get("default") for name, each in asked.items()}
    return {name: value for name, value in {**found, **changes}.items() if value is not None}


def wrongly_filled(content: Mapping[str, Any], answers: Mapping[str, Any]) -> Iterator[str]:
    """What of a form is missing, is not asked, or is beyond what was asked."""
    form = content["form"]
    asked: Mapping[str, Mapping[str, Any]] = form["properties"]
    for name in sorted({*form.get("required", ())} - answers.keys()):
        yield f"{name} is required and was left out"
    for name, value in answers.items():
        if name not in asked:
            yield f"{name} was filled in and nobody asked for it"
        elif not _fits(asked[name], value):
            yield f"{name} was filled in with {value!r}"


def wrongly_granted(asked: str, granted: str) -> Iterator[str]:
    """What is wrong with granting so much of what was asked."""
    most, given = _AMOUNT.fullmatch(asked), _AMOUNT.fullmatch(granted)
    if most is None or given is None or most[2] != given[2]:
        yield f"{granted} was granted of {asked}"
    elif not 0 < Decimal(given[1]) <= Decimal(most[1]):
        yield f"{granted} was granted, and {asked} was asked"


def _fits(asked: Mapping[str, Any], value: Any) -> bool:
    if type(value) not in _TYPES[asked["type"]]:  # of which yes and no are no numbers
        return False
    if asked["type"] == "array":
        return len({*value}) == len(value) and {*value} <= {*_options(asked["items"])}
    if options := _options(asked):
        return value in options
    if isinstance(value, str):
        return _is_text(asked, value)
    least, most = asked.get("minimum", value), asked.get("maximum", value)
    return bool(least <= value <= most)


def _is_text(asked: Mapping[str, Any], value: str) -> bool:
    if asked.get("format") == "date":
        return _DAY.fullmatch(value) is not None
    least, most = asked.get("minLength", 1), asked.get("maxLength", len(value))
    return bool(least <= len(value) <= most)


def _options(asked: Mapping[str, Any]) -> list[str]:
    lists: list[list[Any]] = [asked[key] for key in ("enum", "oneOf", "anyOf") if key in asked]
    return [each["const"] if is_table(each) else each for given in lists for each in given]
