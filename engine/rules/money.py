"""Money as whole millionths of a currency: read from text, said as text, never a float."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from typing_extensions import override

from engine.rules.wording import BadRule, shown

MICROS: Final = 1_000_000  # in one whole of a currency, and of a second

_NUMBER: Final = re.compile(r"(?P<whole>[0-9]{1,9})(?:\.(?P<part>[0-9]{1,6}))?")
_CURRENCY: Final = re.compile(r"[A-Z]{3}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """So many millionths of one currency, which is three capital letters."""

    micros: int
    currency: str

    @override
    def __str__(self) -> str:
        return f"{say_amount(self.micros)} {self.currency}"


def parse_money(raw: object) -> Money:
    """The money in a text such as `620.00 USD`.

    Raises:
        BadRule: `bad_money`, for anything else: floats, negative amounts, more than six decimals.
    """
    if not isinstance(raw, str):
        raise _bad(raw)
    number, space, currency = raw.strip().partition(" ")
    if not space or not _CURRENCY.fullmatch(currency):
        raise _bad(raw)
    return Money(micros=parse_amount(number), currency=currency)


def parse_amount(raw: object) -> int:
    """The millionths in a text such as `620.00`.

    Raises:
        BadRule: `bad_money`, for anything else, a number that is no text included: 0.1 is not one
            tenth in a computer's floating point, and a budget is exact.
    """
    found = _NUMBER.fullmatch(raw) if isinstance(raw, str) and raw.isascii() else None
    if found is None:
        raise _bad(raw)
    return int(found["whole"]) * MICROS + int((found["part"] or "").ljust(6, "0"))


def say_amount(micros: int) -> str:
    """An amount as `parse_amount` reads it, with two decimals or as many more as it takes."""
    sign, whole, part = "-" if micros < 0 else "", *divmod(abs(micros), MICROS)
    decimals = f"{part:06d}".rstrip("0").ljust(2, "0")
    return f"{sign}{whole}.{decimals}"


@lru_cache(maxsize=256)
def is_currency(text: str) -> bool:
    """Whether `text` looks like the name of a currency: three capital letters."""
    return _CURRENCY.fullmatch(text) is not None


def _bad(raw: object) -> BadRule:
    if isinstance(raw, str) and raw.strip().startswith("-"):
        return BadRule("bad_money", f"{shown(raw)} is negative; money here is zero or more.")
    return BadRule(
        "bad_money",
        f'{shown(raw)} is no amount of money. Write it as a text, such as "620.00 USD", with at '
        "most six decimals and no sign.",
    )
