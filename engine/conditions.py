"""Conditions in CEL: checked when they are written, without side effects, and bounded in what they may cost."""

import re
from collections.abc import Collection, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Final

from cel_expr_python import cel

from engine.errors import Invalid

CHARS_MAX: Final = 4_000
_AMOUNT_MAX: Final = 300_000_000_000  # what the library's type holds
_PLACES_MAX: Final = 6
_WHERE: Final = re.compile(r"ERROR: <input>:(\d+):(\d+): ([^\n]*)")
_AMOUNT: Final = re.compile(r"(-?\d{1,18}(?:\.\d{1,6})?)(?: ([A-Z]{3,8}))?")

# Which currency the amounts of the evaluation under way are in.
_currency: Final[ContextVar[list[str] | None]] = ContextVar("currency", default=None)


class BadCondition(Invalid):
    """A condition that cannot be understood; `line` and `column` (from 1) say where, when it is known."""

    code = "bad_condition"

    def __init__(self, message: str, *, line: int = 1, column: int = 1) -> None:
        super().__init__(message)
        self.line = line
        self.column = column


@dataclass(frozen=True, slots=True)
class Formula:
    """A compiled expression that gives a value. Any number of threads may evaluate it at once."""

    text: str
    _expression: cel.Expression

    def evaluate(self, values: Mapping[str, object]) -> object:
        """What it gives for `values`: one for each name that it was compiled for.

        Raises:
            Invalid: `condition_failed`, for a name or field that is not there, two currencies in one
                condition, a division by nothing, or more than the library lets any expression do.
        """
        mark = _currency.set([])
        try:
            given = self._expression.eval(data=dict(values))
            found: object = given.plain_value()
        except RuntimeError as error:
            raise _failed(self.text, str(error)) from None
        finally:
            _currency.reset(mark)
        if given.type() == cel.Type.ERROR:
            raise _failed(self.text, str(found))
        return found

    @property
    def may_be_true(self) -> bool:
        """Whether what it gives can be true or false at all."""
        return self._expression.return_type() in (cel.Type.BOOL, cel.Type.DYN)


@dataclass(frozen=True, slots=True)
class Condition:
    """A compiled expression that is true or false."""

    formula: Formula

    @property
    def text(self) -> str:
        """As it was written."""
        return self.formula.text

    def evaluate(self, values: Mapping[str, object]) -> bool:
        """Whether it holds for `values`.

        Raises:
            Invalid: `condition_failed`, as `Formula.evaluate`, and when it is neither true nor false.
        """
        found = self.formula.evaluate(values)
        if not isinstance(found, bool):
            raise _failed(self.text, "it is neither true nor false")
        return found


def condition(text: str, names: Collection[str]) -> Condition:
    """Compile `text`, which may speak of `names` and nothing else.

    Amounts are written `money("620.00 USD")` and compare exactly; one without a currency is in that of
    the others. Fractions (`1.5`) are no money.

    Raises:
        BadCondition: with the line and column, if it cannot be understood or is never true or false.
    """
    made = formula(text, names)
    if not made.may_be_true:
        raise BadCondition(f"{_short(text)} is neither true nor false.")
    return Condition(made)


def formula(text: str, names: Collection[str]) -> Formula:
    """Compile `text`, which may give any value, as `condition` does.

    Raises:
        BadCondition: with the line and column, if it cannot be understood.
    """
    if len(text) > CHARS_MAX:
        raise BadCondition(f"A condition has at most {CHARS_MAX} characters.")
    try:
        return Formula(text, _environment(tuple(sorted(names))).compile(text))
    except RuntimeError as error:
        raise _bad(text, str(error)) from None


def _bad(text: str, said: str) -> BadCondition:
    where = _WHERE.search(said)
    if where is None:
        return BadCondition(f"{_short(text)} is no condition: {said.strip()}.")
    line, column, why = int(where[1]), int(where[2]), where[3].split(" (in container")[0]
    return BadCondition(
        f"Line {line}, column {column} of {_short(text)}: {why}.", line=line, column=column
    )


def _failed(text: str, why: str) -> Invalid:
    return Invalid(
        f"The condition {_short(text)} cannot be judged: {why}.", code="condition_failed"
    )


def _short(text: str) -> str:
    line = " ".join(text.split())
    return f"`{line}`" if len(line) <= 80 else f"`{line[:79]}…`"


@lru_cache(maxsize=64)
def _environment(names: tuple[str, ...]) -> cel.Env:
    for name in names:
        if not name.isidentifier():
            raise BadCondition(f"{name!r} is no name.")
    # An amount is the library's duration, a second for each unit: exact, ordered, and no number, so that
    # comparing it with one is an error.
    overloads = [
        cel.Overload(f"money_{kind}", cel.Type.DURATION, [type_], False, _money)
        for kind, type_ in (("string", cel.Type.STRING), ("int", cel.Type.INT))
    ]
    return cel.NewEnv(
        variables=dict.fromkeys(names, cel.Type.DYN),
        functions=[cel.FunctionDecl("money", overloads)],
    )


def _money(given: str | int) -> timedelta:
    found = _AMOUNT.fullmatch(str(given).strip())
    if found is None:
        raise ValueError(f"{str(given)[:40]!r} is no amount, such as 620.00 USD")
    amount = _exact(found[1])
    _demand_one_currency(found[2])
    units = int(amount)
    return timedelta(seconds=units, microseconds=int((amount - units) * 10**_PLACES_MAX))


def _exact(text: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{text} is no amount") from None
    if abs(amount) > _AMOUNT_MAX:
        raise ValueError(f"{text} is more than amounts are compared up to")
    return amount


def _demand_one_currency(currency: str | None) -> None:
    seen = _currency.get()
    if seen is None or currency is None:
        return
    if seen and seen[0] != currency:
        raise ValueError(f"{seen[0]} and {currency} cannot be compared")
    seen.append(currency)
