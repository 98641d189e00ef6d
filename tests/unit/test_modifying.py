"""Which changes of what is asked are allowed, and what they make of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.digest import canonical
from engine.rules.content import Content, Policy
from engine.rules.marking import Marking, Where, mark
from engine.rules.modifying import changed, differences, settle, typed
from engine.rules.quorum import Quorum
from engine.rules.values import TEXT_CHARS_MAX, BadChange
from engine.rules.wording import BadRule

DETAILS: dict[str, object] = {
    "amount": "1200.00 USD",
    "count": 100,
    "share": 0.5,
    "express": False,
    "note": "Ring\ntwice",
    "debt": "-5.00",
    "people": 10,
    "lines": ["one"],
}
MARKED = ("amount", "count", "share", "express", "note", "debt")
CALL: dict[str, object] = {
    "name": "shop:order",
    "arguments": {"args": ["ovens", 100], "kwargs": {"amount": "1200.00 USD"}},
}


def marking(kind: str, fields: object, details: dict[str, object] = DETAILS) -> Marking:
    return Marking(
        kind=kind, fields=fields, details=details, call=CALL, parameters=("place", "count")
    )


def content() -> Content:
    fields = mark(marking("modify", list(MARKED)))
    return Content(
        tenant="t",
        action="order",
        title="Order?",
        call=CALL,
        details=DETAILS,
        policy=Policy(quorum=Quorum(need=1, groups=(), reject=1), ladder=()),
        approvers=(),
        fields=fields,
    )


@pytest.mark.parametrize(
    ("kind", "fields", "code"),
    [
        pytest.param("odd", [], "unknown_kind", id="a kind that does not exist"),
        pytest.param("binary", ["count"], "invalid_fields", id="fields of a yes or no"),
        pytest.param("modify", [], "invalid_fields", id="nothing is marked"),
        pytest.param("modify", None, "invalid_fields", id="nothing is said"),
        pytest.param("modify", "count", "invalid_fields", id="no list"),
        pytest.param("modify", ["count", "count"], "invalid_fields", id="one twice"),
        pytest.param("modify", ["size"], "invalid_fields", id="not in details"),
        pytest.param("modify", [7], "invalid_fields", id="not a name"),
        pytest.param("modify", ["lines"], "invalid_fields", id="a list cannot be changed"),
        pytest.param("modify", ["place"], "invalid_fields", id="the call says otherwise"),
    ],
)
def test_fields_that_cannot_be_marked(kind: str, fields: object, code: str) -> None:
    details = {**DETAILS, "place": "the kitchen"}

    with pytest.raises(BadRule) as refused:
        mark(marking(kind, fields, details))

    assert refused.value.code == code


def test_a_marked_field_is_found_in_the_call_by_place_and_by_name() -> None:
    expected: dict[str, Where] = dict.fromkeys(MARKED)

    assert content().fields == {**expected, "count": 1, "amount": "amount"}


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"people": 3}, id="not marked"),
        pytest.param({"size": 3}, id="not there"),
        pytest.param([("count", 3)], id="no table"),
        pytest.param({"count": "3"}, id="a text for a number"),
        pytest.param({"count": True}, id="yes for a number"),
        pytest.param({"count": 2.5}, id="a part of a whole"),
        pytest.param({"count": -1}, id="below zero"),
        pytest.param({"count": 2**53}, id="beyond what JSON keeps"),
        pytest.param({"share": float("nan")}, id="not a number"),
        pytest.param({"share": float("inf")}, id="infinite"),
        pytest.param({"express": 1}, id="one for yes"),
        pytest.param({"amount": 120}, id="a number for an amount"),
        pytest.param({"amount": "120.00 EUR"}, id="another currency"),
        pytest.param({"amount": "120.005 USD"}, id="finer than it was asked"),
        pytest.param({"amount": "-120.00 USD"}, id="an amount below zero"),
        pytest.param({"amount": "1e3 USD"}, id="an amount in powers"),
        pytest.param({"amount": "lots"}, id="no amount"),
        pytest.param({"note": " \n"}, id="blank"),
        pytest.param({"note": "x" * (TEXT_CHARS_MAX + 1)}, id="too long"),
        pytest.param({"note": "a\x00b"}, id="a character nothing can keep"),
        pytest.param({"note": "\ud800"}, id="half a character"),
        pytest.param({"note": None}, id="nothing"),
        pytest.param({"debt": "5.00 USD"}, id="a currency where there was none"),
    ],
)
def test_changes_that_are_refused(changes: object) -> None:
    with pytest.raises(BadChange) as refused:
        settle(content(), changes)

    assert refused.value.code == "invalid_changes"


@pytest.mark.parametrize(
    ("changes", "kept"),
    [
        pytest.param(None, {}, id="nothing"),
        pytest.param({"count": 100, "amount": "1200 USD"}, {}, id="as it was asked"),
        pytest.param({"amount": "1200.0"}, {}, id="without its currency"),
        pytest.param({"amount": "120"}, {"amount": "120.00 USD"}, id="as it was written"),
        pytest.param({"amount": " 0 USD "}, {"amount": "0.00 USD"}, id="nothing at all"),
        pytest.param({"count": 10.0}, {"count": 10}, id="a whole number"),
        pytest.param({"share": 1}, {"share": 1}, id="a number"),
        pytest.param({"debt": "-7"}, {"debt": "-7.00"}, id="what was below zero may stay so"),
        pytest.param({"debt": "7"}, {"debt": "7.00"}, id="or rise above it"),
        pytest.param({"express": True}, {"express": True}, id="yes"),
        pytest.param({"note": "Knock"}, {"note": "Knock"}, id="a text"),
    ],
)
def test_changes_that_are_kept(changes: object, kept: dict[str, object]) -> None:
    settled = settle(content(), changes)

    assert canonical(settled) == canonical(kept)


@pytest.mark.parametrize(
    ("texts", "values"),
    [
        ({"count": " 10 "}, {"count": 10}),
        ({"share": "0.25"}, {"share": 0.25}),
        ({"express": "yes"}, {"express": True}),
        ({"amount": "120.00 USD"}, {"amount": "120.00 USD"}),
        ({"note": "Ring\r\ntwice"}, {"note": "Ring\ntwice"}),
    ],
)
def test_what_people_type_becomes_what_the_field_holds(
    texts: dict[str, str], values: dict[str, object]
) -> None:
    assert typed(content(), texts) == values


@pytest.mark.parametrize(
    "texts",
    [{"count": "ten"}, {"count": ""}, {"share": "1,5"}, {"express": "maybe"}, {"people": "3"}],
)
def test_what_cannot_be_read_names_its_field(texts: dict[str, str]) -> None:
    with pytest.raises(BadChange) as refused:
        typed(content(), texts)

    assert refused.value.field in texts


def test_changes_reach_details_and_call_and_nothing_else() -> None:
    before = content()

    after = changed(before, {"count": 10, "amount": "120.00 USD"})

    assert after.call == {
        "name": "shop:order",
        "arguments": {"args": ["ovens", 10], "kwargs": {"amount": "120.00 USD"}},
    }
    assert after.details == {**DETAILS, "count": 10, "amount": "120.00 USD"}
    assert (before.details, before.call) == (DETAILS, CALL)


CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "count": st.integers(min_value=0, max_value=2**53 - 1),
        "amount": st.decimals(min_value=0, max_value=10**9, places=2).map(lambda it: f"{it} USD"),
        "express": st.booleans(),
        "note": st.sampled_from(["Knock", "Ring\ntwice", "a → b", "\u202eback", " ⏎ ", "é"]),
    },
)


@given(CHANGES)
def test_settling_again_changes_nothing_and_every_change_is_shown(
    changes: dict[str, object],
) -> None:
    before = content()

    settled = settle(before, changes)
    after = changed(before, settled)

    assert settle(before, settled) == settled
    assert {name: after.details[name] for name in settled} == settled
    assert [each.field for each in differences(before, settled)] == list(settled)
    untouched = [name for name in DETAILS if name not in settled]
    assert all(after.details[name] == DETAILS[name] for name in untouched)
    assert Content.from_json(after.to_json()) == after
