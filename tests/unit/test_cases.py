"""How cases are written, and the one way through their states."""

from itertools import product
from typing import Any

import pytest

from engine.rules.cases import (
    WAITING,
    CaseStatus,
    after_signal,
    parse_confidence,
    parse_enough,
    parse_outcome,
    parse_source,
    parse_terms,
    say_share,
)
from engine.rules.changes import change_case
from engine.rules.consensus import Standing
from engine.rules.edges import CASE_EDGES, QUIET_CASES
from engine.rules.states import ImpossibleChange
from engine.rules.states_page import states_page
from engine.rules.wording import BadRule

POSSIBLE = {
    (None, "case.opened", "open"),
    ("open", "case.signalled", "resolved_provisional"),
    ("resolved_provisional", "case.signalled", "in_reconciliation"),
    ("in_reconciliation", "case.signalled", "resolved_provisional"),
    ("resolved_provisional", "case.finalized", "final"),
    ("in_reconciliation", "case.finalized", "final"),
    ("final", "case.settled", "settled"),
    *((status, "case.expired", "expired") for status in WAITING),
    *((status, "case.closed", "closed") for status in WAITING),
    *((status, kind, status) for status in CaseStatus for kind in QUIET_CASES),
}
KINDS = [
    "case.opened",
    "case.finalized",
    "case.settled",
    "case.expired",
    "case.closed",
    *QUIET_CASES,
]


@pytest.mark.parametrize(
    ("before", "kind", "after"), list(product([None, *CaseStatus], KINDS, CaseStatus))
)
def test_a_case_changes_as_its_table_says(
    before: CaseStatus | None, kind: str, after: CaseStatus
) -> None:
    if (before, kind, after) in POSSIBLE:
        assert change_case(before, kind, after) is after
    else:
        with pytest.raises(ImpossibleChange, match=str(before or "not open yet")):
            change_case(before, kind, after)


def test_the_page_of_states_shows_every_change_of_a_case() -> None:
    page = states_page()

    assert [edge.says for edge in CASE_EDGES if f"`{edge.after}` | {edge.says} |" not in page] == []
    assert [says for says in QUIET_CASES.values() if says not in page] == []


@pytest.mark.parametrize(
    ("standing", "status"),
    [
        (Standing.NOTHING, "open"),
        (Standing.PROVISIONAL, "resolved_provisional"),
        (Standing.DISPUTED, "in_reconciliation"),
        (Standing.REACHED, "resolved_provisional"),
    ],
)
def test_where_signals_lead(standing: Standing, status: str) -> None:
    assert after_signal(standing) == status


@pytest.mark.parametrize(
    ("written", "share"),
    [("0", 0), ("1", 10_000), ("0.8", 8_000), ("0.8333", 8_333), ("1.0000", 10_000)],
)
def test_a_share_is_read_exactly(written: object, share: int) -> None:
    assert parse_confidence(written) == share


def test_all_and_nothing_may_be_numbers() -> None:
    assert (parse_confidence(0), parse_confidence(1)) == (0, 10_000)


@pytest.mark.parametrize(
    "written",
    [0.85, True, None, "", "2", "1.01", "0.85555", "-0.5", ".5", "85%", "1e-1", "\u0660.5"],
)
def test_what_is_no_share_is_refused(written: object) -> None:
    with pytest.raises(BadRule, match="A confidence") as confidence:
        parse_confidence(written)
    with pytest.raises(BadRule, match="Enough agreement") as enough:
        parse_enough(written)

    assert (confidence.value.code, enough.value.code) == ("bad_confidence", "bad_enough")


@pytest.mark.parametrize("half", ["0.50", "0", "0.4999"])
def test_enough_is_more_than_half(half: str) -> None:
    with pytest.raises(BadRule):
        parse_enough(half)


@pytest.mark.parametrize(
    ("share", "said"), [(0, "0.00"), (8_000, "0.80"), (8_333, "0.8333"), (10_000, "1.00")]
)
def test_a_share_is_said_with_two_decimals_at_least(share: int, said: str) -> None:
    assert say_share(share) == said
    assert parse_confidence(said) == share


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"title": " "}, "bad_title"),
        ({"title": "x" * 201}, "bad_title"),
        ({"sources": 1}, "bad_sources"),
        ({"sources": True}, "bad_sources"),
        ({"sources": 101}, "bad_sources"),
        ({"enough": "0.5"}, "bad_enough"),
        ({"outcomes": ["yes"]}, "bad_outcome"),
        ({"outcomes": ["yes", "yes"]}, "bad_outcome"),
        ({"outcomes": ["yes", " "]}, "missing_outcome"),
        ({"outcomes": "yes"}, "bad_outcome"),
        ({"otherwise": "dice"}, "bad_case"),
    ],
)
def test_terms_that_cannot_be_kept_are_refused(given: dict[str, Any], code: str) -> None:
    with pytest.raises(BadRule) as refused:
        parse_terms(**{"title": "Did it arrive?", **given})

    assert refused.value.code == code


@pytest.mark.parametrize(
    ("said", "code"),
    [("", "missing_outcome"), (" \t", "missing_outcome"), ("x" * 201, "bad_outcome"),
     ("two\nlines", "bad_outcome"), ("perhaps", "unknown_outcome")],
)  # fmt: skip
def test_an_outcome_is_one_of_those_there_are(said: str, code: str) -> None:
    with pytest.raises(BadRule) as refused:
        parse_outcome(said, ("yes", "no"))

    assert refused.value.code == code
    assert parse_outcome(" yes ", ("yes", "no")) == "yes"
    assert parse_outcome("perhaps", ()) == "perhaps"


@pytest.mark.parametrize(
    ("said", "code"), [("", "missing_signal_source"), ("  ", "missing_signal_source"), ("a\0", "bad_source")]
)  # fmt: skip
def test_a_source_has_a_name(said: str, code: str) -> None:
    with pytest.raises(BadRule) as refused:
        parse_source(said)

    assert refused.value.code == code
    assert parse_source(" carrier ") == "carrier"
