"""Slots are filled as far as they can be: never greedily, never by one person twice."""

from collections.abc import Mapping
from itertools import chain, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.ids import PersonId
from engine.rules.matching import fill

ANA, BO, CHEN, DEE = (PersonId(name) for name in ("ana", "bo", "chen", "dee"))


@pytest.mark.parametrize(
    ("slots", "candidates", "filled"),
    [
        pytest.param({}, {ANA: ["x"]}, {}, id="no slots, nobody placed"),
        pytest.param({"x": 1}, {}, {"x": ()}, id="nobody there, slot empty"),
        pytest.param({"x": 1}, {ANA: []}, {"x": ()}, id="somebody who may fill nothing"),
        pytest.param({"x": 1}, {ANA: ["y"]}, {"x": ()}, id="an unknown slot is nobody's"),
        pytest.param({"x": 0}, {ANA: ["x"]}, {"x": ()}, id="a slot without places"),
        pytest.param({"x": 1, "y": 1}, {ANA: ["x", "y"]}, {"x": (ANA,), "y": ()}, id="one place"),
        pytest.param(
            {"x": 1, "y": 1},
            {ANA: ["x", "y"], BO: ["x"]},
            {"x": (BO,), "y": (ANA,)},
            id="the versatile one makes room",
        ),
        pytest.param(
            {"x": 1, "y": 1, "z": 1},
            {ANA: ["x", "y"], BO: ["x", "y", "z"], CHEN: ["x"], DEE: ["y"]},
            {"x": (CHEN,), "y": (ANA,), "z": (BO,)},
            id="somebody else makes room",
        ),
        pytest.param(
            {"x": 1, "y": 1, "z": 1},
            {ANA: ["x", "y"], BO: ["y", "z"], CHEN: ["x"]},
            {"x": (CHEN,), "y": (ANA,), "z": (BO,)},
            id="room is made along a chain",
        ),
        pytest.param(
            {"x": 1, "y": 2},
            {ANA: ["x", "y"], BO: ["y"], CHEN: ["x"]},
            {"x": (CHEN,), "y": (ANA, BO)},
            id="who comes later into a slot is named by name",
        ),
        pytest.param(
            {"x": 2}, {CHEN: ["x"], BO: ["x"], ANA: ["x"]}, {"x": (ANA, BO)}, id="first by name"
        ),
        pytest.param(
            {"x": 2, "y": 1},
            {ANA: ["x", "y"], BO: ["x"], CHEN: ["x"]},
            {"x": (BO, CHEN), "y": (ANA,)},
            id="two places in one slot",
        ),
    ],
)
def test_fill(
    slots: Mapping[str, int],
    candidates: Mapping[PersonId, list[str]],
    filled: Mapping[str, tuple[PersonId, ...]],
) -> None:
    assert fill(slots, candidates) == filled


SLOTS = st.dictionaries(st.sampled_from("wxyz"), st.integers(0, 2), max_size=3)
PEOPLE = st.dictionaries(
    st.sampled_from([ANA, BO, CHEN, DEE]), st.lists(st.sampled_from("wxyz"), unique=True)
)


def best_by_trying(slots: Mapping[str, int], candidates: Mapping[PersonId, list[str]]) -> int:
    places = list(chain.from_iterable([slot] * count for slot, count in slots.items()))
    people: list[PersonId | None] = [*candidates, *([None] * len(places))]
    return max(
        sum(
            who is not None and place in candidates[who]
            for who, place in zip(row, places, strict=True)
        )
        for row in permutations(people, len(places))
    )


@given(SLOTS, PEOPLE)
def test_no_assignment_fills_more(
    slots: Mapping[str, int], candidates: Mapping[PersonId, list[str]]
) -> None:
    filled = fill(slots, candidates)

    placed = list(chain.from_iterable(filled.values()))
    assert len(placed) == len(set(placed)) == best_by_trying(slots, candidates)
    for slot, people in filled.items():
        assert len(people) <= slots[slot]
        assert all(slot in candidates[person] for person in people)


@given(SLOTS, PEOPLE, st.permutations([ANA, BO, CHEN, DEE]), st.permutations("wxyz"))
def test_the_order_of_hearing_does_not_matter(
    slots: Mapping[str, int],
    candidates: Mapping[PersonId, list[str]],
    people: list[PersonId],
    names: list[str],
) -> None:
    others = {
        who: [name for name in names if name in candidates[who]]
        for who in people
        if who in candidates
    }

    filled = fill({name: slots[name] for name in names if name in slots}, others)

    assert filled == fill(slots, candidates)
    assert list(filled) == sorted(slots)


def test_a_hundred_people_in_twenty_slots_are_placed_at_once() -> None:
    slots = {f"s{number:02}": 5 for number in range(20)}
    everybody = {PersonId(f"p{number}"): list(slots) for number in range(100)}

    assert all(len(people) == 5 for people in fill(slots, everybody).values())
