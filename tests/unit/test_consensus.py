"""What signals amount to: a table of rules, and what is true of every one of them."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.rules.consensus import CERTAIN, Consensus, Report, Standing, weigh

EIGHTY = 8_000


def reports(*said: str) -> list[Report]:
    """Sources a, b, c, …, each saying `outcome:confidence`; without a confidence they are certain."""
    found: list[Report] = []
    for index, each in enumerate(said):
        outcome, _, sure = each.partition(":")
        confidence = round(float(sure or 1) * CERTAIN)
        found.append(Report(source=chr(97 + index), outcome=outcome, confidence=confidence))
    return found


def weighed(*said: str, enough: int = EIGHTY, sources: int = 2) -> Consensus:
    return weigh(reports(*said), enough=enough, sources=sources)


@pytest.mark.parametrize(
    ("said", "sources", "standing"),
    [
        pytest.param([], 2, "nothing", id="nobody has reported"),
        pytest.param(["yes"], 2, "provisional", id="one source never settles a matter"),
        pytest.param(["yes", "yes"], 2, "reached", id="two that are certain do"),
        pytest.param(["yes", "yes"], 3, "provisional", id="unless more are to be heard"),
        pytest.param(["yes", "no"], 2, "disputed", id="a tie"),
        pytest.param(["yes", "no"], 5, "disputed", id="a conflict, though others may still speak"),
        pytest.param(["yes"] * 4 + ["no"], 2, "reached", id="exactly enough is enough"),
        pytest.param(["yes"] * 3 + ["no"], 2, "disputed", id="three of four are not"),
        pytest.param(["yes:0.8", "yes:0.8"], 2, "reached", id="two that are sure enough"),
        pytest.param(["yes:0.8", "yes:0.7999"], 2, "disputed", id="all agree, but too unsure"),
        pytest.param(["yes", "no:0.01"], 2, "disputed", id="certainty does not silence the other"),
        pytest.param(["yes", "yes:0"], 2, "disputed", id="who is not sure at all does not help"),
        pytest.param(["yes:0", "no:0"], 2, "disputed", id="nobody is sure of anything"),
    ],
)
def test_what_signals_amount_to(said: list[str], sources: int, standing: str) -> None:
    assert weighed(*said, sources=sources).standing == standing


def test_fewer_than_two_sources_cannot_be_asked_for() -> None:
    assert weighed("yes", sources=1).standing is Standing.PROVISIONAL


@pytest.mark.parametrize("enough", [0, 5_000, 10_001])
def test_what_two_outcomes_could_reach_is_not_enough(enough: int) -> None:
    with pytest.raises(ValueError, match="more than half"):
        weighed("yes", "yes", enough=enough)


def test_a_source_has_one_voice() -> None:
    with pytest.raises(ValueError, match="twice"):
        weigh([*reports("yes"), *reports("no")], enough=EIGHTY)


def test_the_tally_says_who_says_what() -> None:
    found = weighed("no", "yes:0.9", "yes:0.5")

    assert [(each.outcome, each.sources, each.weight) for each in found.tally] == [
        ("yes", ("b", "c"), 14_000),
        ("no", ("a",), 10_000),
    ]
    assert (found.leading, found.agreement, found.heard) == ("yes", 4_666, 3)


@pytest.mark.parametrize(
    ("said", "sources", "majority"),
    [
        (["yes", "yes", "no"], 2, "yes"),
        (["yes", "no"], 2, None),
        (["yes", "yes", "no", "maybe"], 2, None),
        (["yes", "yes", "no"], 4, None),
        ([], 2, None),
    ],
)
def test_a_majority_is_more_than_half_of_all_that_are_to_be_heard(
    said: list[str], sources: int, majority: str | None
) -> None:
    assert weighed(*said, sources=sources).majority == majority


def test_in_a_tie_nobody_leads() -> None:
    assert weighed("yes", "no").leading is None
    assert weighed().leading is None


SOME = st.lists(
    st.tuples(st.sampled_from(["yes", "no", "maybe"]), st.integers(0, CERTAIN)), max_size=6
).map(
    lambda said: [
        Report(source=f"s{index}", outcome=outcome, confidence=confidence)
        for index, (outcome, confidence) in enumerate(said)
    ]
)
AMOUNTS = st.integers(5_001, CERTAIN)
SOURCES = st.integers(0, 6)


@given(SOME, AMOUNTS, SOURCES)
def test_whatever_is_reached_two_sources_say_and_no_other_outcome_reaches_it(
    said: list[Report], enough: int, sources: int
) -> None:
    found = weigh(said, enough=enough, sources=sources)

    assert (found.outcome is not None) is (found.standing is Standing.REACHED)
    if found.outcome is not None:
        assert len(found.tally[0].sources) >= 2
        assert found.agreement >= enough
        assert found.majority == found.leading == found.outcome
    assert sum(len(each.sources) for each in found.tally) == found.heard == len(said)


@given(SOME.filter(lambda said: len(said) < 5), AMOUNTS, SOURCES)
def test_the_order_of_signals_does_not_matter(
    said: list[Report], enough: int, sources: int
) -> None:
    results = {weigh(each, enough=enough, sources=sources) for each in permutations(said)}

    assert len(results) == 1


@given(SOME.filter(bool), AMOUNTS, st.integers(0, CERTAIN))
def test_to_be_surer_of_what_is_agreed_never_undoes_it(
    said: list[Report], enough: int, confidence: int
) -> None:
    found = weigh(said, enough=enough)
    first = said[0]
    surer = Report(
        source=first.source,
        outcome=first.outcome,
        confidence=max(confidence, first.confidence),
    )

    after = weigh([surer, *said[1:]], enough=enough)

    if found.outcome == first.outcome:
        assert after.outcome == found.outcome
