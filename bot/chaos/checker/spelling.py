"""The one spelling of a JSON value (RFC 8785) and amounts in millionths, written down once more on its own."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, TypeGuard

MICROS: Final = 1_000_000
COUNTED: Final = frozenset({"tokens", "calls", "steps"})
_QUOTER: Final = json.JSONEncoder(ensure_ascii=False)


def spelled_out(value: Any) -> str:
    """`value` with sorted keys, no spaces, and numbers as JavaScript writes them."""
    if is_table(value):
        keys = sorted(value, key=lambda key: key.encode("utf-16-be", "surrogatepass"))
        return "{" + ",".join(f"{_quoted(key)}:{spelled_out(value[key])}" for key in keys) + "}"
    if _is_items(value):
        return "[" + ",".join(map(spelled_out, value)) + "]"
    if isinstance(value, float):
        return _number(value)
    return _quoted(value)


def micros_of(amounts: Mapping[str, Any]) -> dict[str, int]:
    """Amounts as journals write them, by unit: money and seconds in millionths, what is counted as it is."""
    return {
        _unit(key): int(value) if key in COUNTED else int(Decimal(str(value)) * MICROS)
        for key, value in amounts.items()
    }


def is_table(value: object) -> TypeGuard[dict[str, Any]]:
    """Whether it is a JSON object."""
    return isinstance(value, dict)


def _is_items(value: object) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def _unit(key: str) -> str:
    return key if key in COUNTED or key == "seconds" else key.upper()


def _quoted(value: Any) -> str:
    return _QUOTER.encode(value)


def _number(value: float) -> str:
    """As ECMAScript: whole numbers plain below 10^21, small ones plain down to 10^-6."""
    if value == 0:
        return "0"
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    text, point = "".join(map(str, digits)), int(exponent) + len(digits)
    if len(digits) <= point <= 21:
        written = text + "0" * (point - len(digits))
    elif 0 < point <= 21:
        written = f"{text[:point]}.{text[point:]}"
    elif -6 < point <= 0:
        written = f"0.{'0' * -point}{text}"
    else:
        fraction = f".{text[1:]}" if len(text) > 1 else ""
        written = f"{text[0]}{fraction}e{'+' if point > 0 else '-'}{abs(point - 1)}"
    return f"-{written}" if sign else written
