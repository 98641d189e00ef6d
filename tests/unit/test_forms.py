"""Which schemas are forms, and which answers they take, judged beside a JSON Schema validator."""

from typing import Any

import jsonschema_rs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engine.rules.answers import BadAnswer, kept, read_typed
from engine.rules.forms import Field, Input, fields_of
from engine.rules.marking import Marking, mark
from engine.rules.values import TEXT_CHARS_MAX
from engine.rules.wording import BadRule

TEXT = {"type": "string"}
COLOURS = ["red", "green"]
SCHEMAS: dict[str, dict[str, Any]] = {
    "text": {"type": "string", "minLength": 2, "maxLength": 20},
    "lines": {"type": "string", "format": "textarea"},
    "long": {"type": "string", "maxLength": 900},
    "whole": {"type": "integer", "minimum": -2, "maximum": 12},
    "number": {"type": "number", "minimum": 0.5, "maximum": 2.5},
    "yes_no": {"type": "boolean"},
    "one": {"type": "string", "enum": COLOURS},
    "titled": {"type": "string", "oneOf": [{"const": "r", "title": "Red"}, {"const": "g"}]},
    "several": {"type": "array", "items": {"enum": COLOURS}, "uniqueItems": True, "minItems": 1},
    "many": {"type": "array", "items": {"anyOf": [{"const": "r", "title": "Red"}]}, "maxItems": 1},
    "date": {"type": "string", "format": "date"},
}
INPUTS = {
    **{name: Input(name) for name in ("text", "lines", "whole", "number", "yes_no", "one", "date")},
    "long": Input.LINES, "titled": Input.ONE, "several": Input.SEVERAL, "many": Input.SEVERAL,
}  # fmt: skip


def form(properties: object, **more: object) -> dict[str, object]:
    return {"type": "object", "properties": properties, **more}


def field(name: str) -> Field:
    [found] = fields_of(form({name: SCHEMAS[name]}))
    return found


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param(None, id="nothing"),
        pytest.param([], id="a list"),
        pytest.param(form({}), id="no field"),
        pytest.param(form({f"f{n}": TEXT for n in range(21)}), id="too many fields"),
        pytest.param(form({"a": TEXT}, required=["b"]), id="requires what is not there"),
        pytest.param(form({"a": TEXT}, required="a"), id="required is no list"),
        pytest.param(form({"a": TEXT}, required=[["a"]]), id="required lists no names"),
        pytest.param(form({"a": TEXT}, additionalProperties=True), id="open to anything"),
        pytest.param(form({"a": TEXT}, allOf=[]), id="a keyword of schemas that is not understood"),
        pytest.param(form({"a b": TEXT}), id="a name with a blank"),
        pytest.param(form({"": TEXT}), id="no name"),
        pytest.param(form({"a": "string"}), id="no schema"),
        pytest.param(form({"a": {"type": "object"}}), id="a form in a form"),
        pytest.param(form({"a": {"type": ["string", "null"]}}), id="two types"),
        pytest.param(form({"a": {**TEXT, "pattern": "(a+)+"}}), id="a pattern"),
        pytest.param(form({"a": {**TEXT, "format": "uri"}}), id="another format"),
        pytest.param(form({"a": {**TEXT, "title": "a\nb"}}), id="a title of two lines"),
        pytest.param(form({"a": {**TEXT, "title": "x" * 101}}), id="a long title"),
        pytest.param(form({"a": {**TEXT, "minLength": -1}}), id="a length below zero"),
        pytest.param(form({"a": {**TEXT, "maxLength": TEXT_CHARS_MAX + 1}}), id="too long"),
        pytest.param(form({"a": {**TEXT, "minLength": 5, "maxLength": 4}}), id="none fits"),
        pytest.param(form({"a": {**TEXT, "minLength": True}}), id="a length that is a yes"),
        pytest.param(form({"a": {"type": "integer", "minimum": 0.5}}), id="a part of a whole"),
        pytest.param(form({"a": {"type": "number", "multipleOf": 2}}), id="steps of a number"),
        pytest.param(form({"a": {**TEXT, "enum": []}}), id="nothing to choose"),
        pytest.param(form({"a": {**TEXT, "enum": ["x", "x"]}}), id="one option twice"),
        pytest.param(form({"a": {**TEXT, "enum": [1]}}), id="an option that is no text"),
        pytest.param(form({"a": {**TEXT, "enum": ["x" * 76]}}), id="a long option"),
        pytest.param(form({"a": {**TEXT, "enum": [f"{n}" for n in range(101)]}}), id="many"),
        pytest.param(form({"a": TEXT, "b": {**TEXT, "title": "a"}}), id="two of one label"),
        pytest.param(form({"a": {**TEXT, "maxLength": 0}}), id="no text is short enough"),
        pytest.param(form({"a": {**SCHEMAS["many"], "maxItems": 0}}), id="none may be chosen"),
        pytest.param(form({"a": {**SCHEMAS["several"], "minItems": 3}}), id="more than there are"),
        pytest.param(form({"a": {**TEXT, "enum": ["x", "\uff58"]}}), id="options that look alike"),
        pytest.param(
            form({"a": {**TEXT, "oneOf": [{"const": "x"}, {"const": "y", "title": "x"}]}}),
            id="an option that is read as another",
        ),
        pytest.param(
            form(
                {
                    "a": {
                        **TEXT,
                        "oneOf": [{"const": "x", "title": "y"}, {"const": "y", "title": "z"}],
                    }
                }
            ),
            id="an option whose label is the answer of another",
        ),
        pytest.param(form({"a": {**TEXT, "default": " x"}}), id="a default with blanks around it"),
        pytest.param(form({"a": {"type": "array"}}), id="no options"),
        pytest.param(form({"a": {"type": "array", "items": TEXT}}), id="any texts"),
    ],
)
def test_schemas_that_cannot_be_shown_everywhere_are_refused(asked: object) -> None:
    with pytest.raises(BadRule) as refused:
        mark(Marking(kind="form", form=asked))

    assert refused.value.code == "invalid_form"


@pytest.mark.parametrize(
    ("name", "default"),
    [("text", "x"), ("whole", 13), ("yes_no", "yes"), ("several", ["green", "red"]), ("date", "1")],
)
def test_a_default_is_one_of_the_answers(name: str, default: object) -> None:
    asked = form({name: {**SCHEMAS[name], "default": default}})

    with pytest.raises(BadRule) as refused:
        mark(Marking(kind="form", form=asked))

    assert refused.value.code == "invalid_form"


@pytest.mark.parametrize("name", SCHEMAS)
def test_each_field_has_the_input_that_fits(name: str) -> None:
    assert field(name).input is INPUTS[name]


def test_options_are_read_by_their_titles_and_answered_by_their_values() -> None:
    [red, green] = field("titled").options

    assert (red.value, red.label) == ("r", "Red")
    assert (green.value, green.label) == ("g", "g")


ANSWERS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-20, 20),
    st.floats(-3, 3),
    st.floats(),
    st.sampled_from(["red", "r", "g", "2026-02-29", "2026-02-28", "20260228", " ", "", "a\nb"]),
    st.text(max_size=25),
    st.lists(st.sampled_from([*COLOURS, "r", "blue"]), max_size=3),
    st.dictionaries(st.text(max_size=2), st.integers(), max_size=1),
)


@given(name=st.sampled_from(sorted(SCHEMAS)), value=ANSWERS)
@example(name="date", value="2026-02-29")
@example(name="several", value=["green", "red"])
@example(name="number", value=float("nan"))
@example(name="whole", value=2.0)
@example(name="whole", value=True)
def test_an_answer_that_is_kept_is_valid_by_the_schema_and_the_other_way_round(
    name: str, value: object
) -> None:
    asked = SCHEMAS[name]
    try:
        answer = kept(field(name), value)
    except BadAnswer:
        # Only a text that is blank, not of one line or not to be kept is judged more strictly here.
        assert not _is_valid(asked, value) or _is_odd_text(name, value)
    else:
        assert answer is None or _is_valid(asked, answer)
        assert kept(field(name), answer) == answer


def _is_valid(asked: dict[str, Any], value: object) -> bool:
    if isinstance(value, float) and not abs(value) < float("inf"):
        return False
    validator = jsonschema_rs.Draft202012Validator(asked, validate_formats=True)
    return validator.is_valid(value)


def _is_odd_text(name: str, value: object) -> bool:
    if not isinstance(value, str):
        return False
    has_lines = name == "text" and "\n" in value
    return not value.strip() or has_lines or "\0" in value or not _is_encodable(value)


def _is_encodable(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


@pytest.mark.parametrize(
    ("name", "text", "answer"),
    [
        ("text", " two words ", "two words"),
        ("text", "", None),
        ("lines", "a\r\nb", "a\nb"),
        ("whole", " 7 ", 7),
        ("number", "1.5", 1.5),
        ("yes_no", "yes", True),
        ("yes_no", "false", False),
        ("one", "red", "red"),
        ("several", "green\nred", ["green", "red"]),
        ("several", "", None),  # at least one is asked for: whoever chooses none leaves it out
        ("many", "", []),
        ("date", "2026-11-22", "2026-11-22"),
        ("date", "", None),
    ],
)
def test_what_is_typed_is_read(name: str, text: str, answer: object) -> None:
    assert read_typed(field(name), text) == answer


@pytest.mark.parametrize(("name", "text"), [("whole", "seven"), ("number", "1,5"), ("yes_no", "j")])
def test_what_is_typed_and_no_answer_is_refused_by_the_field_s_title(name: str, text: str) -> None:
    with pytest.raises(BadAnswer) as refused:
        read_typed(field(name), text)

    assert refused.value.field == name


@pytest.mark.parametrize(
    "details",
    [
        {},
        {"amount": 50000},
        {"amount": 0.5},
        {"amount": "50000.00"},
        {"amount": "0.00 USD"},
        {"amount": "-5.00 USD"},
        {"amount": "5.00 USD", "currency": "EUR"},
        {"amount": "5.00", "currency": "dollars"},
    ],
)
def test_a_budget_asks_for_an_amount_above_zero_in_one_currency(details: dict[str, object]) -> None:
    with pytest.raises(BadRule) as refused:
        mark(Marking(kind="budget", details=details))

    assert refused.value.code == "bad_money"


def test_a_budget_s_amount_is_found_in_the_call() -> None:
    call = {"name": "x:y", "arguments": {"args": [], "kwargs": {"amount": "5.00"}}}
    details: dict[str, object] = {"amount": "5.00", "currency": "EUR"}

    assert mark(Marking(kind="budget", details=details, call=call)) == {"amount": "amount"}


@pytest.mark.parametrize(
    "asked",
    [
        Marking(kind="budget", details={"amount": "5.00 USD"}, fields=["amount", "department"]),
        Marking(kind="binary", form=form({"a": TEXT})),
        Marking(kind="modify", fields=["a"], details={"a": 1}, form=form({"a": TEXT})),
        Marking(kind="form", form=form({"a": TEXT}), fields=["a"]),
        Marking(
            kind="form",
            form=form({"a": TEXT}),
            call={"name": "x:y", "arguments": {"args": [], "kwargs": {"a": "now"}}},
        ),
    ],
)
def test_what_belongs_to_another_kind_is_refused(asked: Marking) -> None:
    with pytest.raises(BadRule) as refused:
        mark(asked)

    assert refused.value.code in {"invalid_fields", "invalid_form"}
