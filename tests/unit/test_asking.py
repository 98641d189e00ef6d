"""What a form asks is said in a few words, the same on every surface."""

from typing import Any

import pytest

from channels.asking import amount_of, answer_text, asked_line
from engine.rules.forms import Field, fields_of


def field(asked: dict[str, Any], *, required: bool = True) -> Field:
    names = ["it"] if required else []
    (found,) = fields_of({"properties": {"it": {"title": "It", **asked}}, "required": names})
    return found


@pytest.mark.parametrize(
    ("asked", "line"),
    [
        ({"type": "string"}, "It"),
        ({"type": "string", "minLength": 1}, "It"),
        ({"type": "string", "maxLength": 20}, "It: at most 20 characters"),
        ({"type": "string", "minLength": 5, "maxLength": 9}, "It: 5 to 9 characters"),
        ({"type": "integer"}, "It: a whole number"),
        (
            {"type": "integer", "minimum": 1, "maximum": 9, "default": 3},
            "It: 1 to 9; 3 unless you say otherwise",
        ),
        ({"type": "number", "minimum": 0.5}, "It: at least 0.5"),
        ({"type": "boolean", "default": False}, "It: yes or no; no unless you say otherwise"),
        ({"type": "string", "format": "date"}, "It: a day"),
        ({"type": "string", "enum": ["a", "b"]}, "It: one of a, b"),
        (
            {"type": "array", "items": {"enum": ["a", "b"]}, "minItems": 1, "default": ["b"]},
            "It: any of a, b; choose at least 1; b unless you say otherwise",
        ),
    ],
)
def test_a_field_is_said_in_a_line(asked: dict[str, Any], line: str) -> None:
    assert asked_line(field(asked)) == line


def test_what_may_be_left_out_says_so() -> None:
    assert asked_line(field({"type": "string"}, required=False)) == "It (optional)"


def test_options_are_said_as_they_are_read() -> None:
    options = [{"const": "t", "title": "Tonight"}, {"const": "m", "title": "Tomorrow"}]
    one = field({"type": "string", "oneOf": options})
    several = field({"type": "array", "items": {"anyOf": options}})

    assert asked_line(one) == "It: one of Tonight, Tomorrow"
    assert answer_text(one, "t") == "Tonight"
    assert answer_text(several, ["t", "m"]) == "Tonight, Tomorrow"
    assert answer_text(several, []) == "none"


def test_an_amount_is_said_with_its_currency_wherever_that_stands() -> None:
    assert amount_of({"amount": "620.00 USD", "currency": "USD"}) == "620.00 USD"
    assert amount_of({"amount": "620.00", "currency": "USD"}) == "620.00 USD"


@pytest.mark.parametrize("chosen", [["a", "b"], ["a, b"], ["none"], [], ['["a"'], ['a", "b']])
def test_no_choice_of_several_is_said_like_another(chosen: list[str]) -> None:
    labels = ["a", "b", "a, b", "none", '["a"', 'a", "b']
    several = field({"type": "array", "items": {"enum": labels}})
    others = [[each] for each in labels] + [["a", "b"], ["a, b", "none"], [], ["a", "b", "none"]]

    alike = [each for each in others if answer_text(several, each) == answer_text(several, chosen)]

    assert alike == [chosen]
