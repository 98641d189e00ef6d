"""Conditions in CEL: refused with the place, judged without side effects, and stopped before they cost much."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.conditions import CHARS_MAX, BadCondition, condition, formula
from engine.errors import Invalid


@pytest.mark.parametrize(
    ("text", "line", "column", "why"),
    [
        pytest.param("nix > 1", 1, 1, "undeclared", id="a name that is not there"),
        pytest.param("details.a >\n nix", 2, 2, "undeclared", id="on the second line"),
        pytest.param("details.a >", 1, 12, "Syntax error", id="half an expression"),
        pytest.param("money('3 USD') > 5", 1, 16, "no matching overload", id="money is no number"),
        pytest.param("", 1, 1, "Syntax error", id="nothing"),
        pytest.param("'words'", 1, 1, "neither true nor false", id="words"),
        pytest.param("(" * 99 + "true" + ")" * 99, 1, 1, "recursion", id="too deep"),
        pytest.param("1 < 2 ||" * CHARS_MAX, 1, 1, "at most", id="too long"),
    ],
)
def test_what_cannot_be_understood_is_refused_with_its_place(
    text: str, line: int, column: int, why: str
) -> None:
    with pytest.raises(BadCondition, match=why) as refused:
        condition(text, {"details"})

    assert (refused.value.line, refused.value.column) == (line, column)
    assert refused.value.code == "bad_condition"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param("details.nix > 1", "nix", id="a field that is not there"),
        pytest.param("details.amount", "neither true", id="a text is not true"),
        pytest.param("1 / details.zero > 1", "divide by zero", id="a division by nothing"),
        pytest.param("money(details.amount) > money('5 EUR')", "USD and EUR", id="two currencies"),
        pytest.param("money(details.rate) > money('5 EUR')", "money", id="fractions are no money"),
        pytest.param("money('five') > money('5 EUR')", "no amount", id="words are no money"),
        pytest.param("money('1.0000001') > money('5')", "no amount", id="finer than money is"),
        pytest.param("money('999999999999') > money('5')", "more than", id="beyond what is exact"),
        pytest.param(
            "details.many.all(x, details.many.all(y, x + y >= 0))", "budget", id="without end"
        ),
    ],
)
def test_what_cannot_be_judged_is_neither_true_nor_false(text: str, why: str) -> None:
    found = condition(text, {"details"})

    with pytest.raises(Invalid, match=why) as refused:
        found.evaluate({"details": DETAILS})

    assert refused.value.code == "condition_failed"


DETAILS = {"amount": "620.00 USD", "bare": "620.00", "zero": 0, "rate": 1.5, "many": [*range(2000)]}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        pytest.param("money(details.amount) > money('619.99 USD')", True, id="a cent more"),
        pytest.param("money(details.amount) > money('620 USD')", False, id="not more than itself"),
        pytest.param(
            "money(details.bare) >= money('620.00 USD')", True, id="currency of the other"
        ),
        pytest.param(
            "money('0.1') + money('0.2') == money('0.3')", True, id="exact, unlike floats"
        ),
        pytest.param("money(5) > money('4.999999')", True, id="whole numbers are money"),
        pytest.param("has(details.nix)", False, id="asking whether a field is there"),
        pytest.param("details.rate > 1.0 && size(details.many) == 2000", True, id="plain numbers"),
    ],
)
def test_conditions_hold_or_not(text: str, *, holds: bool) -> None:
    assert condition(text, {"details"}).evaluate({"details": DETAILS}) is holds


@given(left=st.integers(-(10**13), 10**13), right=st.integers(-(10**13), 10**13))
def test_amounts_compare_as_their_cents_do(left: int, right: int) -> None:
    spelled = {"left": f"{left / 100:.2f} USD", "right": f"{right / 100:.2f} USD"}

    found = formula("money(left) < money(right)", {"left", "right"}).evaluate(spelled)

    assert found is (left < right)


def test_a_formula_gives_any_value() -> None:
    assert formula("names.map(n, n + '!')", {"names"}).evaluate({"names": ["a"]}) == ["a!"]
