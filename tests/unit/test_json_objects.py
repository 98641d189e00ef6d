"""A JSON object is read only if every reader would understand it alike."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.rules.json_objects import NotExact, read_object

DEEP = 20


def nested(levels: int) -> str:
    return '{"a":' * levels + "1" + "}" * levels


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("", "not JSON", id="nothing"),
        pytest.param("{", "at character 2", id="half an object says where it breaks"),
        pytest.param('{"a": 1} x', "not JSON", id="something after it"),
        pytest.param("[1]", "not an object", id="a list is no object"),
        pytest.param("1", "not an object", id="a number is no object"),
        pytest.param("null", "not an object", id="null is no object"),
        pytest.param('{"a": 1, "a": 2}', "twice", id="a key twice"),
        pytest.param('{"x": [{"a": 1, "a": 1}]}', "twice", id="a key twice, deep inside"),
        pytest.param('{"a": NaN}', "NaN is not a number", id="NaN"),
        pytest.param('{"a": -Infinity}', "-Infinity is not", id="Infinity"),
        pytest.param('{"a": 1e999}', "too large", id="a float beyond all floats"),
        pytest.param('{"a": [-1e999]}', "too large", id="below all floats, in a list"),
        pytest.param('{"a": 9007199254740992}', "write it as a text", id="2^53"),
        pytest.param('{"a": -9007199254740992}', "write it as a text", id="minus 2^53"),
        pytest.param('{"a": 1' + "0" * 9000 + "}", "too large", id="nine thousand digits"),
        pytest.param(r'{"a": "\ud800"}', "surrogate", id="half a surrogate pair"),
        pytest.param(r'{"\udfff": 1}', "surrogate", id="half a surrogate pair in a key"),
        pytest.param(nested(DEEP + 1), "20 levels", id="one level too deep"),
        pytest.param('{"a":' + "[" * DEEP + "]" * DEEP + "}", "20 levels", id="lists are levels"),
        pytest.param('{"a":' * 100_000, "20 levels", id="a hundred thousand levels"),
    ],
)
def test_what_is_not_exact_is_refused(text: str, says: str) -> None:
    with pytest.raises(NotExact, match=says):
        read_object(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("{}", {}, id="an empty object"),
        pytest.param(
            ' {"a": [1, 2.5, null, true, "é"]} ', {"a": [1, 2.5, None, True, "é"]}, id="all"
        ),
        pytest.param('{"a": 9007199254740991}', {"a": 2**53 - 1}, id="the largest exact number"),
        pytest.param('{"a": -9007199254740991}', {"a": 1 - 2**53}, id="the smallest exact number"),
        pytest.param(r'{"a": "\ud83d\ude00"}', {"a": "😀"}, id="a whole surrogate pair"),
        pytest.param('{"a": {"a": 1}}', {"a": {"a": 1}}, id="one key at two levels"),
    ],
)
def test_an_exact_object_is_read(text: str, value: dict[str, object]) -> None:
    assert read_object(text) == value


def test_twenty_levels_are_read() -> None:
    assert json.dumps(read_object(nested(DEEP))) == nested(DEEP).replace(":", ": ")


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(1 - 2**53, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8"), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=12,
)


@given(st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=8), VALUES, max_size=4))
def test_what_is_exact_survives(value: dict[str, object]) -> None:
    assert read_object(json.dumps(value)) == value
