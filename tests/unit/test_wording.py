"""A refusal repeats what was written: in ASCII, and never at length."""

from collections.abc import Mapping

import pytest

from engine.rules.wording import BadRule, is_sequence, is_table, is_whole, shown


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param("ana", "'ana'", id="quoted"),
        pytest.param("a\u202eb", r"'a\u202eb'", id="nothing turns the line around"),
        pytest.param("a\nb", r"'a\nb'", id="nothing breaks the line"),
        pytest.param(7, "7", id="a number"),
        pytest.param("x" * 78, "'" + "x" * 78 + "'", id="80 characters are whole"),
        pytest.param("x" * 79, "'" + "x" * 76 + "...", id="more are cut to 80"),
    ],
)
def test_shown(value: object, text: str) -> None:
    assert shown(value) == text
    assert len(shown(value)) <= 80


@pytest.mark.parametrize(
    ("value", "kinds"),
    [
        pytest.param([1], "sequence", id="a list is a sequence"),
        pytest.param((1,), "sequence", id="a tuple is a sequence"),
        pytest.param("abc", "", id="a text is no sequence"),
        pytest.param(b"abc", "", id="bytes are no sequence"),
        pytest.param({"a": 1}, "table", id="a dict is a table"),
        pytest.param(3, "whole", id="an int is whole"),
        pytest.param(True, "", id="true is not a number"),
        pytest.param(3.0, "", id="a float is not whole"),
        pytest.param(None, "", id="nothing is nothing"),
    ],
)
def test_kinds_of_values(value: object, kinds: str) -> None:
    found = {"sequence": is_sequence(value), "table": is_table(value), "whole": is_whole(value)}

    assert " ".join(kind for kind, fits in found.items() if fits) == kinds


def test_a_refusal_carries_its_code() -> None:
    refusal = BadRule("bad_quorum", "Write a number.")

    assert (refusal.code, str(refusal)) == ("bad_quorum", "Write a number.")
    assert isinstance(refusal, ValueError)
    assert is_table(Mapping) is False
