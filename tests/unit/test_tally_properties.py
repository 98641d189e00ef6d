"""What is true of every tally, whoever votes in whatever order."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from engine.ids import PersonId
from engine.rules.quorum import Quorum
from engine.rules.tally import CastVote, Choice, Electorate, Outcome, tally

NAMES = [PersonId(name) for name in ("ana", "bo", "chen", "dee", "eve")]
SOME = st.frozensets(st.sampled_from(NAMES))
PLAIN = st.builds(Quorum, need=st.integers(1, 4), groups=st.just(()), reject=st.integers(1, 3))
GROUPED = st.builds(
    Quorum,
    need=st.none(),
    groups=st.sampled_from(
        [(("a", 1),), (("a", 1), ("b", 1)), (("a", 2), ("b", 1)), (("a", 2), ("b", 2))]
    ),
    reject=st.integers(1, 3),
)
QUORUMS = PLAIN | GROUPED
ELECTORATES = st.builds(
    Electorate,
    pool=SOME,
    groups=st.fixed_dictionaries({"a": SOME, "b": SOME}),
    later=SOME,
    excluded=st.frozensets(st.sampled_from(NAMES), max_size=2),
)
VOTES = st.lists(
    st.builds(
        CastVote,
        person=st.sampled_from(NAMES),
        choice=st.sampled_from(Choice),
        sequence=st.integers(0, 4),
        agrees_to=st.sampled_from(["", "", "ten", "twenty"]),
    ),
    max_size=10,
)


@given(QUORUMS, VOTES, ELECTORATES)
def test_nobody_decides_with_people_who_agree_to_something_else(
    quorum: Quorum, votes: list[CastVote], voters: Electorate
) -> None:
    result = tally(quorum, votes, voters)

    those = [vote for vote in votes if vote.agrees_to == result.agrees_to]
    if result.outcome is Outcome.APPROVED:
        agreeing = {vote.person for vote in those if vote.choice is Choice.APPROVE}
        assert set(result.approvals) <= agreeing
        assert len(result.approvals) >= quorum.places
    counted = [who for standing in result.standings for who in standing.approvals]
    assert len(counted) == len(set(counted))


@given(QUORUMS, VOTES, ELECTORATES, st.data())
def test_the_order_of_delivery_does_not_matter(
    quorum: Quorum, votes: list[CastVote], voters: Electorate, data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(votes))

    assert tally(quorum, shuffled, voters) == tally(quorum, votes, voters)


@given(QUORUMS, VOTES, ELECTORATES)
def test_a_vote_heard_twice_counts_once(
    quorum: Quorum, votes: list[CastVote], voters: Electorate
) -> None:
    assert tally(quorum, votes + votes, voters) == tally(quorum, votes, voters)


@given(QUORUMS, VOTES, ELECTORATES)
def test_only_the_eligible_are_ever_named(
    quorum: Quorum, votes: list[CastVote], voters: Electorate
) -> None:
    result = tally(quorum, votes, voters)

    eligible = voters.pool - voters.excluded
    assert {*result.approvals, *result.rejections, *result.can_still} <= eligible
    assert not set(result.approvals) & set(result.rejections)
    assert list(result.can_still) == sorted(result.can_still)
    if result.outcome is Outcome.OPEN:
        assert set(result.can_still) == eligible - set(result.approvals)


@given(QUORUMS, VOTES, ELECTORATES)
def test_votes_of_others_change_nothing(
    quorum: Quorum, votes: list[CastVote], voters: Electorate
) -> None:
    known = (voters.pool | voters.later) - voters.excluded
    counted = [vote for vote in votes if vote.person in known]

    assert tally(quorum, counted, voters) == tally(quorum, votes, voters)


def fits(person: PersonId, slot: str, voters: Electorate) -> bool:
    grouped = any(person in members for members in voters.groups.values())
    return person in voters.groups[slot] or not grouped


def agree(quorum: Quorum, agreeing: set[PersonId], voters: Electorate) -> bool:
    """By trying every way to seat people, as the words of the rule say it."""
    if quorum.need is not None:
        return len(agreeing) >= quorum.need
    places = [name for name, need in quorum.groups for _ in range(need)]
    return any(
        all(fits(who, place, voters) for who, place in zip(row, places, strict=True))
        for row in permutations(sorted(agreeing), len(places))
    )


def outcome_by_the_words(
    quorum: Quorum, last: Mapping[PersonId, Choice], voters: Electorate
) -> Outcome:
    eligible = voters.pool - voters.excluded
    said = {who: choice for who, choice in last.items() if who in eligible}
    everybody = (voters.pool | voters.later) - voters.excluded
    agreeing = {who for who, choice in said.items() if choice is Choice.APPROVE}
    if list(said.values()).count(Choice.REJECT) >= quorum.reject:
        return Outcome.REJECTED
    if Choice.REQUEST_CHANGES in said.values():
        return Outcome.CHANGES_REQUESTED
    if agree(quorum, agreeing, voters):
        return Outcome.APPROVED
    hoped = {who for who in everybody if last.get(who, Choice.APPROVE) is Choice.APPROVE}
    return Outcome.OPEN if agree(quorum, hoped, voters) else Outcome.IMPOSSIBLE


@given(QUORUMS, st.dictionaries(st.sampled_from(NAMES), st.sampled_from(Choice)), ELECTORATES)
def test_the_outcome_is_what_the_words_of_the_rule_say(
    quorum: Quorum, last: Mapping[PersonId, Choice], voters: Electorate
) -> None:
    votes = [CastVote(person=who, choice=choice, sequence=1) for who, choice in last.items()]

    assert tally(quorum, votes, voters).outcome is outcome_by_the_words(quorum, last, voters)


@given(QUORUMS, VOTES, ELECTORATES, st.sampled_from(NAMES))
def test_one_more_approval_never_takes_progress_away(
    quorum: Quorum, votes: list[CastVote], voters: Electorate, who: PersonId
) -> None:
    votes = [replace(vote, agrees_to="") for vote in votes]
    before = tally(quorum, votes, voters)

    after = tally(quorum, [*votes, CastVote(person=who, choice=Choice.APPROVE, sequence=9)], voters)

    assert before.have <= after.have <= after.need or quorum.need is not None
    assert sum(group.have for group in after.groups) == (after.have if after.groups else 0)
    assert after.reject_have <= before.reject_have
