"""A quorum is read strictly, and frozen only if the people asked can reach it."""

import json
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.ids import PersonId
from engine.rules.quorum import Quorum, QuorumSpec, freeze, parse_quorum
from engine.rules.wording import BadRule

ANA, BO, CHEN = PersonId("ana"), PersonId("bo"), PersonId("chen")


def plain(need: int, *, reject: int = 1) -> Quorum:
    return Quorum(need=need, groups=(), reject=reject)


def per_group(*groups: tuple[str, int], reject: int = 1) -> Quorum:
    return Quorum(need=None, groups=groups, reject=reject)


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        pytest.param(0, "from 1 upwards", id="nobody is no quorum"),
        pytest.param(-1, "from 1 upwards", id="fewer than nobody"),
        pytest.param(True, "True is not a quorum", id="true is not one"),
        pytest.param(1.0, "not a quorum", id="a fraction"),
        pytest.param("2", "not a quorum", id="a number in a text"),
        pytest.param("All", "not a quorum", id="words are lower case"),
        pytest.param("some", "not a quorum", id="an unknown word"),
        pytest.param(None, "not a quorum", id="nothing"),
        pytest.param([2], "not a quorum", id="a list"),
        pytest.param({}, "not a quorum", id="no groups"),
        pytest.param({f"g{n}": 1 for n in range(21)}, "up to 20", id="more than 20 groups"),
        pytest.param({"security": 0}, "quorum of group security is 0", id="nobody of a group"),
        pytest.param({"security": "1"}, "is '1'", id="a text for a group"),
        pytest.param({"security": True}, "is True", id="true for a group"),
        pytest.param({"group:security": 1}, "without a prefix", id="a group with its prefix"),
        pytest.param({7: 1}, "not the name of a group", id="a number as group"),
    ],
)
def test_a_bad_quorum_is_refused(raw: object, says: str) -> None:
    with pytest.raises(BadRule, match=says) as refused:
        parse_quorum(raw)

    assert refused.value.code == "bad_quorum"


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(1, id="one"),
        pytest.param(2, id="two"),
        pytest.param("all", id="all"),
        pytest.param("majority", id="majority"),
        pytest.param({"release": 2, "security": 1}, id="per group"),
        pytest.param({f"g{n}": 1 for n in range(20)}, id="20 groups"),
    ],
)
def test_a_quorum_is_understood(raw: object) -> None:
    assert parse_quorum(raw) == raw


@pytest.mark.parametrize(
    ("spec", "eligible_count", "reject_quorum", "says"),
    [
        pytest.param(1, 0, None, "Nobody is eligible", id="nobody is there"),
        pytest.param("all", 0, None, "Nobody is eligible", id="all of nobody"),
        pytest.param(0, 3, None, "from 1 upwards", id="below one"),
        pytest.param(4, 3, None, "quorum is 4, but only 3", id="more than there are"),
        pytest.param(1, 3, 0, "reject_quorum is 0", id="rejected by nobody"),
        pytest.param(1, 3, 4, "reject_quorum is 4", id="more rejections than people"),
        pytest.param({"qa": 1}, 3, None, "group qa, which is not asked", id="an unknown group"),
        pytest.param({"sec": 3}, 5, None, "quorum of group sec is 3", id="above a group's size"),
        pytest.param({"sec": 0}, 3, None, "from 1 upwards", id="nobody of a group"),
        pytest.param(
            {"sec": 2, "rel": 2}, 3, None, "4 places and 3", id="fewer people than places"
        ),
    ],
)
def test_a_quorum_out_of_reach_is_refused(
    spec: QuorumSpec, eligible_count: int, reject_quorum: int | None, says: str
) -> None:
    with pytest.raises(BadRule, match=says) as refused:
        freeze(
            spec,
            eligible_count=eligible_count,
            reject_quorum=reject_quorum,
            groups={"sec": 2, "rel": 2},
        )

    assert refused.value.code == "bad_quorum"


@pytest.mark.parametrize(
    ("spec", "eligible_count", "reject_quorum", "frozen"),
    [
        pytest.param(2, 3, None, plain(2), id="two of three, one may stop it"),
        pytest.param(3, 3, 3, plain(3, reject=3), id="everybody, and everybody to stop it"),
        pytest.param("all", 3, None, plain(3), id="all of three"),
        pytest.param("majority", 1, None, plain(1), id="most of one"),
        pytest.param("majority", 2, None, plain(2), id="half is no majority"),
        pytest.param("majority", 3, None, plain(2), id="most of three"),
        pytest.param("majority", 4, None, plain(3), id="most of four"),
        pytest.param(
            {"sec": 1, "rel": 2}, 3, 2, per_group(("rel", 2), ("sec", 1), reject=2), id="g"
        ),
        pytest.param({"sec": 2, "rel": 2}, 4, None, per_group(("rel", 2), ("sec", 2)), id="full"),
    ],
)
def test_what_a_quorum_means_is_frozen(
    spec: QuorumSpec, eligible_count: int, reject_quorum: int | None, frozen: Quorum
) -> None:
    quorum = freeze(
        spec,
        eligible_count=eligible_count,
        reject_quorum=reject_quorum,
        groups={"sec": 2, "rel": 2},
    )

    assert quorum == frozen
    assert Quorum.from_json(json.loads(json.dumps(quorum.to_json()))) == quorum


@pytest.mark.parametrize(
    "members",
    [
        pytest.param({"sec": {ANA}, "rel": {ANA}}, id="one person cannot fill two groups"),
        pytest.param({"sec": {ANA}, "rel": set[PersonId]()}, id="an empty group"),
        pytest.param({"sec": {ANA}}, id="a group of nobody knows whom"),
    ],
)
def test_groups_that_share_too_few_people_are_refused(
    members: Mapping[str, set[PersonId]],
) -> None:
    with pytest.raises(BadRule, match="2 places and 1 of them"):
        freeze(
            {"sec": 1, "rel": 1},
            eligible_count=3,
            reject_quorum=None,
            groups={"sec": 1, "rel": 1},
            members=members,
        )


@pytest.mark.parametrize(
    "members",
    [
        pytest.param({"sec": {ANA}, "rel": {ANA, BO}}, id="the other one fills the other group"),
        pytest.param({"rel": {ANA}, "sec": {ANA, BO}}, id="whichever group comes first"),
        pytest.param({"sec": {BO}, "rel": {ANA}, "qa": {ANA}}, id="groups that need nobody"),
    ],
)
def test_groups_may_share_people(members: Mapping[str, set[PersonId]]) -> None:
    quorum = freeze(
        {"sec": 1, "rel": 1},
        eligible_count=2,
        reject_quorum=None,
        groups={name: len(people) for name, people in members.items()},
        members=members,
    )

    assert quorum == per_group(("rel", 1), ("sec", 1))


def test_places_are_all_who_have_to_agree() -> None:
    assert plain(3).places == 3
    assert per_group(("rel", 2), ("sec", 1)).places == 3


@pytest.mark.parametrize(
    "data",
    [
        pytest.param({}, id="nothing stored"),
        pytest.param({"need": 1, "reject": 1}, id="no groups stored"),
        pytest.param({"need": None, "groups": [], "reject": 1}, id="neither count nor groups"),
        pytest.param({"need": 1, "groups": [["a", 1]], "reject": 1}, id="both count and groups"),
        pytest.param({"need": 0, "groups": [], "reject": 1}, id="a count of nobody"),
        pytest.param({"need": 1, "groups": [], "reject": 0}, id="a rejection by nobody"),
        pytest.param({"need": 1, "groups": []}, id="no rejection stored"),
        pytest.param({"need": None, "groups": [["a", 1], "b"], "reject": 1}, id="half a group"),
        pytest.param({"need": None, "groups": [["a"]], "reject": 1}, id="a group without count"),
        pytest.param({"need": None, "groups": [["a", 1, 1]], "reject": 1}, id="a group too long"),
        pytest.param(
            {"need": None, "groups": [{"a": 1, "b": 1}], "reject": 1}, id="a group as a table"
        ),
        pytest.param({"need": None, "groups": [["a", 0]], "reject": 1}, id="a group of nobody"),
        pytest.param({"need": None, "groups": [["A", 1]], "reject": 1}, id="a group misnamed"),
        pytest.param({"need": None, "groups": {"a": 1}, "reject": 1}, id="groups as a table"),
    ],
)
def test_a_damaged_quorum_is_refused(data: dict[str, object]) -> None:
    with pytest.raises(BadRule) as refused:
        Quorum.from_json(data)

    assert refused.value.code == "bad_quorum"


@given(
    st.integers(1, 5)
    | st.sampled_from(["all", "majority"])
    | st.dictionaries(st.sampled_from("ab"), st.integers(1, 4), min_size=1),
    st.integers(0, 6),
    st.none() | st.integers(1, 6),
)
def test_what_is_frozen_can_be_reached_and_stopped(
    spec: QuorumSpec, eligible_count: int, reject_quorum: int | None
) -> None:
    try:
        quorum = freeze(
            spec,
            eligible_count=eligible_count,
            reject_quorum=reject_quorum,
            groups={"a": 3, "b": 3},
        )
    except BadRule:
        return
    assert 1 <= quorum.places <= eligible_count
    assert 1 <= quorum.reject <= eligible_count
    assert (quorum.need is None) == isinstance(spec, dict)
    assert Quorum.from_json(quorum.to_json()) == quorum
