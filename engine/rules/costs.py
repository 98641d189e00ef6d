"""What something costs: whole numbers by unit, as people and journals write them, and who was paid."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from engine.rules.money import (
    MICROS,
    Money,
    is_currency,
    parse_amount,
    parse_money,
    say_amount,
)
from engine.rules.wording import BadRule, is_table, is_whole, shown

TOKENS: Final = "tokens"
CALLS: Final = "calls"
STEPS: Final = "steps"
SECONDS: Final = "seconds"
COUNTED: Final = (TOKENS, CALLS, STEPS)
IMPLICIT: Final = frozenset({CALLS, STEPS, SECONDS})  # what a step takes without saying so
COUNT_MAX: Final = 10**15

Amounts = Mapping[str, int]  # by unit: a currency or `seconds` in millionths, the rest as they are

_SOURCE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@-]{0,99}")
_AGENT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,99}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """So much, paid to `source` (a provider, or provider/model), for `agent`, where that is said."""

    amounts: Amounts = field(default_factory=dict[str, int])
    source: str | None = None
    agent: str | None = None


def parse_cost(raw: object) -> Cost:
    """The cost in `{"usd": "0.10", "tokens": 50, "source": "acme/model"}`, or in `0.10 USD`.

    Raises:
        BadRule: `bad_cost`, `bad_money` or `mixed_currencies`, with a sentence.
    """
    if isinstance(raw, str):
        money = parse_money(raw)
        return Cost(amounts={money.currency: money.micros})
    if not is_table(raw):
        raise _bad(f"{shown(raw)} is no cost")
    given = tuple(raw.items())
    if all(isinstance(value, str) or is_whole(value) for _, value in given):
        return _known_cost(given)
    return _cost(given)


@lru_cache(maxsize=1024)
def _known_cost(given: tuple[tuple[object, str | int], ...]) -> Cost:
    return _cost(given)


def _cost(given: Iterable[tuple[object, object]]) -> Cost:
    table = {str(key): value for key, value in given}
    source, agent = table.pop("source", None), table.pop("agent", None)
    return Cost(
        amounts=parse_amounts(table),
        source=_name(source, _SOURCE, "source"),
        agent=_name(agent, _AGENT, "agent"),
    )


def parse_amounts(raw: object) -> dict[str, int]:
    """The amounts in `{usd = "1000.00", tokens = 2000000}`; a budget's limit looks like this too.

    Raises:
        BadRule: `bad_cost`, `bad_money` or `mixed_currencies`, with a sentence.
    """
    if isinstance(raw, str):
        money = parse_money(raw)
        return {money.currency: money.micros}
    if not is_table(raw):
        raise _bad(f"{shown(raw)} is no amount")
    given = tuple(raw.items())
    if all(isinstance(value, str) or is_whole(value) for _, value in given):
        return dict(_known(given))  # step after step says the same
    return _amounts(given)


@lru_cache(maxsize=1024)
def _known(given: tuple[tuple[object, str | int], ...]) -> dict[str, int]:
    return _amounts(given)


def _amounts(given: Iterable[tuple[object, object]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for key, value in given:
        unit = _unit(str(key))
        if unit in found:
            raise _bad(f"{shown(key)} is there twice")
        found[unit] = _amount(unit, value)
    check_currencies(found)
    return found


def to_json(amounts: Amounts) -> dict[str, object]:
    """The amounts as `parse_amounts` reads them, units in alphabetical order."""
    return dict(_all_written(tuple(amounts.items())))


@lru_cache(maxsize=1024)
def _all_written(amounts: tuple[tuple[str, int], ...]) -> dict[str, object]:
    return {unit.lower(): _written(unit, amount) for unit, amount in sorted(amounts)}


def unit_of(written: str) -> str:
    """The unit as amounts have it, from how it is written: `usd` is `USD`.

    Raises:
        BadRule: `bad_cost`, if there is no such unit.
    """
    return _unit(written)


def say(unit: str, amount: int) -> str:
    """One amount in words: `0.50 USD`, `250 tokens`, `1.5 seconds`."""
    if is_currency(unit):
        return str(Money(micros=amount, currency=unit))
    if unit == SECONDS:
        return f"{_written(unit, amount)} seconds"
    return f"{amount} {unit}"


def say_all(amounts: Amounts) -> str:
    """All amounts in words, money first."""
    ordered = sorted(amounts, key=lambda unit: (not is_currency(unit), unit))
    return " and ".join(say(unit, amounts[unit]) for unit in ordered) or "nothing"


def total(parts: Iterable[Amounts]) -> dict[str, int]:
    """The sum by unit."""
    found: dict[str, int] = {}
    for part in parts:
        for unit, amount in part.items():
            found[unit] = found.get(unit, 0) + amount
    return found


def currency_of(amounts: Amounts) -> str | None:
    """The currency among the units, if there is one."""
    return next((unit for unit in amounts if is_currency(unit)), None)


def check_currencies(*parts: Amounts) -> None:
    """Return if no two currencies are among the units, which could not be added up.

    Raises:
        BadRule: `mixed_currencies`, naming two.
    """
    units = {unit for part in parts for unit in part if is_currency(unit)}
    if len(units) > 1:
        found = sorted(units)
        raise BadRule(
            "mixed_currencies",
            f"{found[0]} and {found[1]} cannot be added up. Convert one of them first; a run and the "
            "budgets above it count in one currency.",
        )


@lru_cache(maxsize=256)
def _unit(key: str) -> str:
    if key in {*COUNTED, SECONDS}:
        return key
    if is_currency(key.upper()):
        return key.upper()
    raise _bad(f"{shown(key)} is no unit")


def _amount(unit: str, value: object) -> int:
    if is_currency(unit):
        return parse_amount(value)
    if unit == SECONDS and isinstance(value, str):
        return parse_amount(value)
    if not is_whole(value) or not 0 <= value <= COUNT_MAX:
        raise _bad(f"{unit} is {shown(value)}, which is no whole number of zero or more")
    return value * MICROS if unit == SECONDS else value


def _written(unit: str, amount: int) -> object:
    if is_currency(unit):
        return say_amount(amount)
    if unit == SECONDS:
        return amount // MICROS if amount % MICROS == 0 else say_amount(amount)
    return amount


def _name(value: object, pattern: re.Pattern[str], what: str) -> str | None:
    if value is None or (isinstance(value, str) and pattern.fullmatch(value)):
        return value
    raise _bad(f"The {what} is {shown(value)}, which is no name such as acme/model-1")


def _bad(why: str) -> BadRule:
    return BadRule(
        "bad_cost",
        f'{why}. Write it as {{"usd": "0.10", "tokens": 50}}: money as text under its currency, whole '
        "numbers of tokens, calls, steps and seconds.",
    )
