"""What votes amount to: each row is a rule."""

from dataclasses import replace

import pytest

from engine.ids import PersonId
from engine.rules.quorum import Quorum
from engine.rules.tally import (
    CastVote,
    Choice,
    Electorate,
    GroupProgress,
    Outcome,
    Standing,
    Tally,
    tally,
)

SIGNS = {
    "+": Choice.APPROVE,
    "-": Choice.REJECT,
    "?": Choice.REQUEST_CHANGES,
    "~": Choice.ABSTAIN,
}

ONE = Quorum(need=1, groups=(), reject=1)
TWO = Quorum(need=2, groups=(), reject=1)
TWO_TWO = Quorum(need=2, groups=(), reject=2)
SEC_REL = Quorum(need=None, groups=(("rel", 1), ("sec", 1)), reject=1)
SEC_REL_2 = Quorum(need=None, groups=(("rel", 1), ("sec", 1)), reject=2)
REL_2 = Quorum(need=None, groups=(("rel", 2), ("sec", 1)), reject=2)


def people(names: str) -> frozenset[PersonId]:
    return frozenset(PersonId(name) for name in names.split())


def said(answers: str) -> list[CastVote]:
    """`ana+ bo-`: one vote after the other."""
    return [
        CastVote(person=PersonId(answer[:-1]), choice=SIGNS[answer[-1]], sequence=sequence)
        for sequence, answer in enumerate(answers.split())
    ]


def electorate(
    pool: str, *, sec: str = "", rel: str = "", later: str = "", excluded: str = ""
) -> Electorate:
    return Electorate(
        pool=people(pool),
        groups={"sec": people(sec), "rel": people(rel)} if sec or rel else {},
        later=people(later),
        excluded=people(excluded),
    )


THREE = electorate("ana bo chen req", excluded="req")


@pytest.mark.parametrize(
    ("quorum", "answers", "outcome"),
    [
        pytest.param(TWO, "", Outcome.OPEN, id="silence is not consent"),
        pytest.param(TWO, "ana+", Outcome.OPEN, id="one is not two"),
        pytest.param(TWO, "ana+ bo+", Outcome.APPROVED, id="two agree"),
        pytest.param(TWO, "ana+ bo+ chen+", Outcome.APPROVED, id="three are enough for two"),
        pytest.param(TWO, "ana+ ana+", Outcome.OPEN, id="nobody counts twice"),
        pytest.param(TWO, "ana+ req+", Outcome.OPEN, id="requester never counts"),
        pytest.param(TWO, "req-", Outcome.OPEN, id="requester cannot stop it by voting"),
        pytest.param(TWO, "req?", Outcome.OPEN, id="requester asks no changes by voting"),
        pytest.param(TWO, "ana+ eve+", Outcome.OPEN, id="a stranger never counts"),
        pytest.param(TWO, "eve-", Outcome.OPEN, id="a stranger stops nothing"),
        pytest.param(TWO, "eve?", Outcome.OPEN, id="a stranger asks no changes"),
        pytest.param(TWO, "ana+ bo+ chen-", Outcome.REJECTED, id="rejection wins over approval"),
        pytest.param(TWO_TWO, "ana+ bo-", Outcome.OPEN, id="one rejection of two stops nothing"),
        pytest.param(TWO_TWO, "ana- bo-", Outcome.REJECTED, id="two rejections stop it"),
        pytest.param(TWO_TWO, "ana- ana-", Outcome.OPEN, id="nobody rejects twice"),
        pytest.param(TWO_TWO, "ana+ bo+ chen-", Outcome.APPROVED, id="one of two is outvoted"),
        pytest.param(TWO, "ana- ana+ bo+", Outcome.APPROVED, id="a mind may change"),
        pytest.param(TWO, "ana+ bo+ ana~", Outcome.OPEN, id="an approval may be taken back"),
        pytest.param(TWO, "ana? ana+", Outcome.OPEN, id="a request for changes may be taken back"),
        pytest.param(TWO, "ana?", Outcome.CHANGES_REQUESTED, id="one may ask for changes"),
        pytest.param(
            TWO, "ana+ bo+ chen?", Outcome.CHANGES_REQUESTED, id="changes before approval"
        ),
        pytest.param(TWO, "ana? bo-", Outcome.REJECTED, id="rejection before changes"),
        pytest.param(
            TWO_TWO, "ana? bo-", Outcome.CHANGES_REQUESTED, id="changes, not yet rejected"
        ),
        pytest.param(TWO, "ana~", Outcome.OPEN, id="to abstain is to say nothing"),
        pytest.param(TWO, "ana~ bo~", Outcome.IMPOSSIBLE, id="too many abstain"),
        pytest.param(TWO, "ana~ bo+", Outcome.OPEN, id="two are left for two"),
        pytest.param(TWO_TWO, "ana- bo~", Outcome.IMPOSSIBLE, id="who rejects is not hoped for"),
        pytest.param(ONE, "ana~ bo~ chen~", Outcome.IMPOSSIBLE, id="everybody abstains"),
    ],
)
def test_a_plain_quorum(quorum: Quorum, answers: str, outcome: Outcome) -> None:
    assert tally(quorum, said(answers), THREE).outcome is outcome


PLAIN_GROUPS = electorate("s1 r1 both", sec="s1 both", rel="r1 both")
ESCALATED = electorate("s1 s2 r1 boss", sec="s1 s2", rel="r1")


@pytest.mark.parametrize(
    ("quorum", "voters", "answers", "outcome"),
    [
        pytest.param(SEC_REL, PLAIN_GROUPS, "s1+", Outcome.OPEN, id="one group is not both"),
        pytest.param(SEC_REL, PLAIN_GROUPS, "s1+ r1+", Outcome.APPROVED, id="one of each"),
        pytest.param(SEC_REL, PLAIN_GROUPS, "both+", Outcome.OPEN, id="one person, one place"),
        pytest.param(
            SEC_REL, PLAIN_GROUPS, "both+ s1+", Outcome.APPROVED, id="never greedily: rel"
        ),
        pytest.param(
            SEC_REL, PLAIN_GROUPS, "both+ r1+", Outcome.APPROVED, id="never greedily: sec"
        ),
        pytest.param(
            SEC_REL_2, PLAIN_GROUPS, "s1~ r1~", Outcome.IMPOSSIBLE, id="one for two places"
        ),
        pytest.param(SEC_REL_2, PLAIN_GROUPS, "both-", Outcome.OPEN, id="the others still can"),
        pytest.param(SEC_REL, ESCALATED, "s1+ s2+", Outcome.OPEN, id="two of one group fill one"),
        pytest.param(
            SEC_REL, ESCALATED, "s1+ boss+", Outcome.APPROVED, id="who was added fills rel"
        ),
        pytest.param(
            SEC_REL, ESCALATED, "r1+ boss+", Outcome.APPROVED, id="who was added fills sec"
        ),
        pytest.param(SEC_REL, ESCALATED, "boss+", Outcome.OPEN, id="who was added fills one"),
        pytest.param(SEC_REL_2, ESCALATED, "r1-", Outcome.OPEN, id="who was added still can"),
        pytest.param(SEC_REL_2, ESCALATED, "r1~ boss~", Outcome.IMPOSSIBLE, id="a group is lost"),
        pytest.param(
            SEC_REL,
            electorate("s1", sec="s1", rel="r1", later="r1"),
            "s1+",
            Outcome.OPEN,
            id="a member who is not in the pool may come",
        ),
        pytest.param(
            SEC_REL,
            electorate("s1", sec="s1", rel="r1"),
            "s1+ r1+",
            Outcome.IMPOSSIBLE,
            id="a member who is not in the pool never counts",
        ),
        pytest.param(
            REL_2,
            electorate("s1 r1 r2", sec="s1", rel="r1 r2"),
            "r1+ r2+ s1+",
            Outcome.APPROVED,
            id="two of one group and one of the other",
        ),
        pytest.param(
            REL_2,
            electorate("s1 r1 r2", sec="s1", rel="r1 r2", excluded="r2"),
            "",
            Outcome.IMPOSSIBLE,
            id="a group too small without the requester",
        ),
    ],
)
def test_a_quorum_per_group(
    quorum: Quorum, voters: Electorate, answers: str, outcome: Outcome
) -> None:
    assert tally(quorum, said(answers), voters).outcome is outcome


@pytest.mark.parametrize(
    ("voters", "answers", "outcome"),
    [
        pytest.param(electorate("ana"), "", Outcome.IMPOSSIBLE, id="too few from the start"),
        pytest.param(electorate("ana", later="bo"), "", Outcome.OPEN, id="a rung may add enough"),
        pytest.param(electorate("ana", later="ana"), "", Outcome.IMPOSSIBLE, id="nobody is two"),
        pytest.param(
            electorate("ana", later="req", excluded="req"),
            "",
            Outcome.IMPOSSIBLE,
            id="a rung that adds only the requester adds nobody",
        ),
        pytest.param(
            electorate("ana", later="bo"), "bo+ ana+", Outcome.OPEN, id="later is not now"
        ),
        pytest.param(electorate("ana", later="bo"), "bo-", Outcome.IMPOSSIBLE, id="he said no"),
        pytest.param(electorate("ana bo"), "ana-", Outcome.REJECTED, id="rejected, not impossible"),
        pytest.param(electorate("ana bo"), "ana~", Outcome.IMPOSSIBLE, id="one left for two"),
    ],
)
def test_who_may_still_come(voters: Electorate, answers: str, outcome: Outcome) -> None:
    assert tally(TWO, said(answers), voters).outcome is outcome


def test_progress_says_who_and_how_many() -> None:
    answers = said("eve+ chen+ ana- bo~ ana+ req+ bo-")

    result = tally(Quorum(need=3, groups=(), reject=2), answers, electorate("ana bo chen dee"))

    assert result == Tally(
        outcome=Outcome.OPEN,
        approvals=(PersonId("ana"), PersonId("chen")),
        rejections=(PersonId("bo"),),
        groups=(),
        have=2,
        need=3,
        reject_have=1,
        reject_need=2,
        can_still=(PersonId("bo"), PersonId("dee")),
        standings=(
            Standing(
                agrees_to="", approvals=(PersonId("ana"), PersonId("chen")), groups=(), have=2
            ),
        ),
    )


def test_progress_of_groups_counts_filled_places() -> None:
    voters = electorate("s1 s2 s3 r1 r2", sec="s1 s2 s3", rel="r1 r2")

    result = tally(REL_2, said("s2+ s1+ r1+"), voters)

    assert result.groups == (
        GroupProgress(name="rel", have=1, need=2),
        GroupProgress(name="sec", have=1, need=1),
    )
    assert (result.have, result.need) == (2, 3)
    assert result.approvals == (PersonId("r1"), PersonId("s1"), PersonId("s2"))
    assert result.can_still == (PersonId("r2"), PersonId("s3"))


def test_people_and_groups_are_named_in_order() -> None:
    turned = Quorum(need=None, groups=(("sec", 1), ("rel", 1)), reject=9)
    crowd = " ".join(f"p{number}" for number in range(9))

    result = tally(turned, said(crowd.replace(" ", "- ") + "-"), electorate(crowd))

    assert list(result.rejections) == crowd.split()
    assert [group.name for group in result.groups] == ["rel", "sec"]


def test_choices_and_outcomes_have_the_names_that_surfaces_send() -> None:
    assert " ".join(Choice) == "approve reject request_changes abstain"
    assert " ".join(Outcome) == "open approved rejected changes_requested impossible"


@pytest.mark.parametrize("answers", ["ana+ bo+", "ana-", "ana?", "ana~ bo~"])
def test_nobody_can_still_vote_when_it_is_over(answers: str) -> None:
    assert tally(TWO, said(answers), THREE).can_still == ()


@pytest.mark.parametrize(
    ("choices", "outcome"),
    [
        pytest.param("+~", Outcome.APPROVED, id="to approve is more than to abstain"),
        pytest.param("+?", Outcome.CHANGES_REQUESTED, id="changes are more cautious"),
        pytest.param("?-", Outcome.REJECTED, id="to reject is most cautious"),
    ],
)
def test_of_two_votes_at_once_the_more_cautious_counts(choices: str, outcome: Outcome) -> None:
    votes = [CastVote(person=PersonId("ana"), choice=SIGNS[sign], sequence=1) for sign in choices]

    assert tally(ONE, votes, THREE).outcome is outcome
    assert tally(ONE, reversed(votes), THREE).outcome is outcome


def test_approvals_of_different_outcomes_do_not_add_up() -> None:
    as_asked, less = said("ana+ bo+")

    apart = tally(TWO, [as_asked, replace(less, agrees_to="less")], THREE)
    together = tally(TWO, [replace(each, agrees_to="less") for each in (as_asked, less)], THREE)

    assert (apart.outcome, apart.have, len(apart.standings)) == (Outcome.OPEN, 1, 2)
    assert (together.outcome, together.agrees_to) == (Outcome.APPROVED, "less")
