"""Canonical bytes are those of RFC 8785, whichever of the two writers makes them."""

from enum import StrEnum
from typing import Any

import pytest
import rfc8785
from hypothesis import example, given
from hypothesis import strategies as st

from engine.digest import canonical, read_json, tagged_digest
from engine.errors import Invalid

WHOLE = st.integers(min_value=-(2**53) + 1, max_value=2**53 - 1)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
JSON: Any = st.recursive(
    st.none() | st.booleans() | WHOLE | NUMBERS | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
)


class Colour(StrEnum):
    """Text by another name."""

    RED = "red"


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        float("inf"),
        2**53,
        {"deep": [-(2**53)]},
        {1: "a"},
        {"a": {1, 2}},
        {"a": b"bytes"},
        "\ud800",
        {"\ud800": 1},
        [Invalid],
    ],
    ids=repr,
)
def test_what_json_does_not_know_is_refused(value: object) -> None:
    with pytest.raises(Invalid, match="has no canonical JSON form"):
        canonical(value)


def test_nesting_without_end_is_refused() -> None:
    value: list[object] = []
    for _level in range(100_000):
        value = [value]

    with pytest.raises(Invalid, match="has no canonical JSON form"):
        canonical(value)


@given(JSON)
@example({"b": 1, "a": [True, None, 'é\n\x7f\u2028"\\'], "é": 1.0, "\U0001f600": 1e21, "ﬀ": -0.0})
@example({"a": Colour.RED, "b": ("tuple", 1), "c": 2**53 - 1, "d": -(2**53) + 1})
@example({"\x00": "\x00\x1f\b\f\t\r", "aa": {}, "a": [], "A": "", "": 0})
def test_both_writers_agree(value: Any) -> None:
    assert canonical(value) == rfc8785.dumps(value)


def test_a_digest_is_for_one_purpose() -> None:
    assert tagged_digest("one", {"a": 1}) != tagged_digest("another", {"a": 1})


def test_a_key_that_is_given_twice_is_refused() -> None:
    with pytest.raises(Invalid, match="given twice"):
        read_json(b'{"a": 1, "a": 2}')
