"""What a voter is told, word for word."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from engine.rules.ballots import (
    already_decided_message,
    changed_message,
    comment_required,
    counted_message,
    expired,
    moment,
    not_eligible,
    not_recorded,
    progress,
    superseded,
    unchanged_message,
)
from engine.rules.tally import GroupProgress, Outcome, Tally

NOON = datetime(2026, 11, 20, 12, 5, tzinfo=UTC)
ONE_OF_TWO = Tally(
    outcome=Outcome.OPEN,
    approvals=(),
    rejections=(),
    groups=(),
    have=1,
    need=2,
    reject_have=0,
    reject_need=1,
    can_still=(),
)
GROUPS = (GroupProgress(name="rel", have=0, need=1), GroupProgress(name="sec", have=1, need=1))


@pytest.mark.parametrize(
    ("tally", "words"),
    [
        pytest.param(ONE_OF_TWO, "1 of 2 approvals", id="one of two"),
        pytest.param(replace(ONE_OF_TWO, have=0, need=1), "0 of 1 approval", id="one is singular"),
        pytest.param(
            replace(ONE_OF_TWO, groups=GROUPS),
            "1 of 2 approvals (rel 0 of 1, sec 1 of 1)",
            id="groups",
        ),
        pytest.param(
            replace(ONE_OF_TWO, reject_have=1, reject_need=2),
            "1 of 2 approvals, 1 of 2 rejections",
            id="rejections, if there are any",
        ),
    ],
)
def test_progress(tally: Tally, words: str) -> None:
    assert progress(tally) == words


@pytest.mark.parametrize(
    ("tally", "words"),
    [
        pytest.param(ONE_OF_TWO, "Recorded. 1 of 2 approvals.", id="still open"),
        pytest.param(
            replace(ONE_OF_TWO, have=2, outcome=Outcome.APPROVED),
            "Recorded. Approved: 2 of 2 approvals.",
            id="approved by it",
        ),
        pytest.param(
            replace(ONE_OF_TWO, reject_have=1, outcome=Outcome.REJECTED),
            "Recorded. Rejected: 1 of 1 rejection.",
            id="rejected by it",
        ),
        pytest.param(
            replace(ONE_OF_TWO, outcome=Outcome.CHANGES_REQUESTED),
            "Recorded. Sent back for changes.",
            id="sent back by it",
        ),
        pytest.param(
            replace(ONE_OF_TWO, outcome=Outcome.IMPOSSIBLE),
            "Recorded. Rejected: 1 of 2 approvals, and too few people are left to approve.",
            id="impossible by it",
        ),
    ],
)
def test_a_vote_that_counts(tally: Tally, words: str) -> None:
    assert counted_message(tally) == words


def test_a_vote_again() -> None:
    assert changed_message(ONE_OF_TWO) == (
        "Changed. Your new vote counts instead. 1 of 2 approvals."
    )
    assert unchanged_message(ONE_OF_TWO) == (
        "You had already voted so; it counts once. 1 of 2 approvals."
    )


@pytest.mark.parametrize(
    ("outcome", "by", "words"),
    [
        pytest.param("approved", ["Ana"], "approved by Ana", id="by one"),
        pytest.param("rejected", ["Ana", "Bo"], "rejected by Ana and Bo", id="by two"),
        pytest.param("approved", ["A", "B", "C"], "approved by A, B and C", id="by three"),
        pytest.param("approved", list("ABCDE"), "approved by A, B, C, D and E", id="by five"),
        pytest.param(
            "approved", list("ABCDEFG"), "approved by A, B, C, D, E and 2 more", id="by many"
        ),
        pytest.param("expired", [], "expired", id="by time"),
        pytest.param("changes_requested", ["Bo"], "sent back for changes by Bo", id="sent back"),
        pytest.param("cancelled", [], "withdrawn", id="withdrawn"),
        pytest.param("continued", [], "continued", id="a word of its own"),
    ],
)
def test_a_late_vote_is_told_who_decided_and_when(
    outcome: str, by: Sequence[str], words: str
) -> None:
    assert already_decided_message(outcome, by, NOON) == (
        f"Not counted: this was already {words} on 20 November 2026 at 12:05 UTC."
    )


def test_refusals_say_why_and_what_to_do() -> None:
    assert superseded() == (
        "Not counted: the request was edited. Look at the new version and vote on that."
    )
    assert not_eligible("you are the requester.") == "Not counted: you are the requester."
    assert not_eligible("you are nobody") == "Not counted: you are nobody."
    assert expired(NOON) == (
        "Not counted: the time for this request ended on 20 November 2026 at 12:05 UTC."
    )
    assert not_recorded() == "Not confirmed. Press again: it counts once."
    assert comment_required() == (
        "Not recorded: this request wants a comment with each vote. Write one and send again."
    )


@pytest.mark.parametrize(
    ("at", "words"),
    [
        pytest.param(NOON, "20 November 2026 at 12:05 UTC", id="UTC"),
        pytest.param(
            datetime(2026, 1, 1, 1, 0, tzinfo=timezone(timedelta(hours=2))),
            "31 December 2025 at 23:00 UTC",
            id="another zone",
        ),
        pytest.param(datetime(2026, 5, 9, 8, 7, tzinfo=UTC), "9 May 2026 at 08:07 UTC", id="short"),
    ],
)
def test_a_moment_is_said_in_utc(at: datetime, words: str) -> None:
    assert moment(at) == words


def test_every_month_has_its_name() -> None:
    months = [moment(datetime(2026, month, 1, tzinfo=UTC)).split()[1] for month in range(1, 13)]

    assert " ".join(months) == (
        "January February March April May June July August September October November December"
    )
