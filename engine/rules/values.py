"""What a field holds that approvers may change, and which other values it may hold."""

import re
from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Final

from engine.errors import Invalid
from engine.rules.wording import shown

TEXT_CHARS_MAX: Final = 2_000
NUMBER_MAX: Final = 2**53 - 1  # beyond it two JSON readers may see two numbers

_AMOUNT: Final = re.compile(
    r"(?P<minus>-?)(?P<figure>(?:0|[1-9]\d{0,14})(?:\.\d{1,6})?)(?: (?P<currency>[A-Z]{3}))?",
    re.ASCII,
)
_CURRENCY: Final = re.compile(r"[A-Z]{3}", re.ASCII)
_WHOLE: Final = re.compile(r"-?\d{1,16}", re.ASCII)
_NUMBER: Final = re.compile(r"-?\d{1,16}(?:\.\d{1,16})?(?:[eE][+-]?\d{1,3})?", re.ASCII)
_UNKEEPABLE: Final = re.compile("[\x00\ud800-\udfff]")  # no database keeps these
_YES_NO: Final = {"true": True, "yes": True, "false": False, "no": False}


class BadChange(Invalid):
    """A change that this approval does not allow. `field` is what it is about; nothing was recorded."""

    code = "invalid_changes"

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class FieldKind(StrEnum):
    """What a marked field holds, and goes on holding."""

    TEXT = "text"
    AMOUNT = "amount"
    WHOLE = "whole"
    NUMBER = "number"
    YES_NO = "yes_no"


def kind_of(value: object) -> FieldKind | None:
    """What `value` is; None for what cannot be marked: lists, tables and nothing at all."""
    match value:
        case bool():
            return FieldKind.YES_NO
        case int():
            return FieldKind.WHOLE
        case float():
            return FieldKind.NUMBER
        case str():
            return FieldKind.AMOUNT if _AMOUNT.fullmatch(value) else FieldKind.TEXT
        case _:
            return None


def kept(name: str, asked: object, value: object) -> object:
    """`value` as it is kept where `asked` was: of the same kind, amounts as the one asked was written.

    Raises:
        BadChange: for another kind or currency, below zero where `asked` is not, or too long.
    """
    match kind_of(asked), asked, value:
        case FieldKind.YES_NO, _, bool():
            return value
        case (FieldKind.WHOLE | FieldKind.NUMBER) as kind, int() | float(), int() | float():
            return _number(name, asked, value, is_whole=kind is FieldKind.WHOLE)
        case FieldKind.AMOUNT, str(), str():
            return _amount(name, asked, value)
        case FieldKind.TEXT, str(), str():
            return _text(name, value)
        case kind, _, _:
            raise BadChange(name, f"{shown(name)} needs {_WANTED[kind or FieldKind.TEXT]}.")


_WANTED: Final[Mapping[FieldKind, str]] = {
    FieldKind.TEXT: "a text",
    FieldKind.AMOUNT: "an amount such as 12.50, as text",
    FieldKind.WHOLE: "a whole number",
    FieldKind.NUMBER: "a number",
    FieldKind.YES_NO: "yes or no",
}


def _number(name: str, asked: float, value: float, *, is_whole: bool) -> int | float:
    wanted = _WANTED[FieldKind.WHOLE if is_whole else FieldKind.NUMBER]
    # Not a number, and infinity, are not within any limits either.
    if isinstance(value, bool) or not abs(value) <= NUMBER_MAX:
        raise BadChange(name, f"{shown(name)} needs {wanted}, of at most 2^53.")
    if is_whole and value != int(value):
        raise BadChange(name, f"{shown(name)} needs {wanted}.")
    if asked >= 0 > value:
        raise BadChange(name, f"{shown(name)} cannot be below zero: what was asked is not.")
    return int(value) if is_whole or value == int(value) else value


def _amount(name: str, asked: str, value: str) -> str:
    before, after = _AMOUNT.fullmatch(asked), _AMOUNT.fullmatch(value.strip())
    if before is None or after is None:
        raise BadChange(name, f"{shown(name)} needs {_WANTED[FieldKind.AMOUNT]}.")
    currency, given = before["currency"], after["currency"]
    if given not in {None, currency}:
        wanted = f"stays in {currency}" if currency else "has no currency"
        raise BadChange(name, f"{shown(name)} {wanted}.")
    old, new = Decimal(before["figure"]), Decimal(after["figure"])
    if after["minus"] and new and not before["minus"]:
        raise BadChange(name, f"{shown(name)} cannot be below zero: what was asked is not.")
    places = len(before["figure"].partition(".")[2])
    rounded = new.quantize(Decimal(1).scaleb(-places))
    if rounded != new:
        raise BadChange(name, f"{shown(name)} has at most {places} decimal places.")
    minus = after["minus"] if new else ""
    # The very spelling that was asked, where it is the same amount.
    if rounded == old and bool(minus) is bool(before["minus"] and old):
        return asked
    return f"{minus}{rounded}{f' {currency}' if currency else ''}"


def is_grantable(amount: object, currency: object) -> bool:
    """Whether it is an amount above zero with a currency of its own, or with `currency` beside it."""
    found = _AMOUNT.fullmatch(amount) if isinstance(amount, str) else None
    if found is None or found["minus"] or not Decimal(found["figure"]):
        return False
    if found["currency"] is not None:
        return currency is None or currency == found["currency"]
    return isinstance(currency, str) and _CURRENCY.fullmatch(currency) is not None


def demand_granted(name: str, *, asked: str, granted: str) -> None:
    """Return if of the amount `asked` so much may be granted: more than nothing, and no more than it.

    Raises:
        BadChange: otherwise.
    """
    most, given = (Decimal(each.partition(" ")[0]) for each in (asked, granted))
    if given > most:
        raise BadChange(name, f"Grant at most what was asked, {asked}.")
    if not given > 0:
        raise BadChange(name, f"Grant more than nothing of {shown(name)}, or reject.")


def _text(name: str, value: str) -> str:
    if not value.strip() or len(value) > TEXT_CHARS_MAX:
        raise BadChange(name, f"{shown(name)} needs 1 to {TEXT_CHARS_MAX} characters.")
    if unkeepable(value):
        raise BadChange(name, f"{shown(name)} holds a character that cannot be kept.")
    return value


def read_typed(name: str, asked: object, text: str) -> object:
    """What somebody typed, as a value of the kind of `asked`; not checked any further.

    Raises:
        BadChange: if it is no number, or no yes or no, where one is needed.
    """
    if isinstance(asked, str):
        return asked if lines(text) == lines(asked) else lines(text)
    kind = kind_of(asked) or FieldKind.TEXT
    read: object = None
    match kind:
        case FieldKind.YES_NO:
            read = read_yes_no(text)
        case FieldKind.WHOLE:
            read = int(said) if _WHOLE.fullmatch(said := text.strip()) else None
        case FieldKind.NUMBER:
            read = float(said) if _NUMBER.fullmatch(said := text.strip()) else None
        case FieldKind.TEXT | FieldKind.AMOUNT:
            pass
    if read is None:
        raise BadChange(name, f"{shown(name)} needs {_WANTED[kind]}.")
    return read


def read_yes_no(text: str) -> bool | None:
    """Yes or no, as people write it; None for anything else."""
    return _YES_NO.get(text.strip().lower())


def read_number(text: str) -> int | float | None:
    """The number that `text` is; None for anything else."""
    said = text.strip()
    if _WHOLE.fullmatch(said):
        return int(said)
    return float(said) if _NUMBER.fullmatch(said) else None


def unkeepable(text: str) -> bool:
    """Whether it holds a character that no database keeps."""
    return _UNKEEPABLE.search(text) is not None


def lines(text: str) -> str:
    """`text` with line ends as everywhere else, whichever system it was typed on."""
    return text.replace("\r\n", "\n").replace("\r", "\n")
