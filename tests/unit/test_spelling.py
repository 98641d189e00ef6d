"""A line of the journal of which a part is spelled already is the very line that it would be otherwise."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engine.digest import Spelled, canonical
from engine.ids import RunId
from engine.store.new_entry import NewEntry
from engine.store.spelling import line_of

AT = datetime(2026, 11, 22, tzinfo=UTC)
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
TABLES: Any = st.dictionaries(TEXT, TEXT | st.integers(0, 99) | st.none())


def line(data: Any) -> dict[str, object]:
    entry = NewEntry(kind="step.begun", name="a", path="1", data=data)
    return line_of(RunId("run_1"), 1, entry, at=AT, previous="")


@given(others=TABLES, known=TABLES)
@example(others={}, known={})
@example(others={"zebra": 1}, known={"cost": "1"})
@example(others={"wíthheld": 1}, known={"cost": "1"})
def test_what_is_spelled_already_changes_no_byte(
    others: dict[str, object], known: dict[str, object]
) -> None:
    data = {**others, "withheld": Spelled(known)}

    found = line(data)

    plain = {**others, "withheld": dict(known)}
    assert found == line(plain)
    assert found["data"] == canonical(plain).decode()


@pytest.mark.parametrize("known", [{}, {"cost": {"usd": "1.00"}, "attempt": 1}])
def test_a_line_may_be_spelled_whole(known: dict[str, object]) -> None:
    assert line(Spelled(known)) == line(known)
