"""Endings say who and why, and what nobody knows is never consent."""

import pytest

from signoff import Cancelled, ChangesRequested, Expired, NoEffect, Rejected, StepFailed
from signoff.outcomes import ApprovalEnded, ended


def test_an_ending_nobody_knows_is_not_one_that_authors_catch_by_name() -> None:
    found = ended("approved", "apr_1")

    assert type(found) is ApprovalEnded
    assert str(found) == "Approval apr_1 ended without consent."


@pytest.mark.parametrize(
    ("outcome", "kind", "sentence"),
    [
        ("rejected", Rejected, "Approval apr_1 was rejected by ana, bo: too much"),
        ("expired", Expired, "Approval apr_1 expired before it was decided by ana, bo: too much"),
        (
            "changes_requested",
            ChangesRequested,
            "Approval apr_1 was sent back for changes by ana, bo: too much",
        ),
        ("cancelled", Cancelled, "Approval apr_1 was cancelled by ana, bo: too much"),
    ],
)
def test_an_ending_says_who_and_why(outcome: str, kind: type[ApprovalEnded], sentence: str) -> None:
    found = ended(outcome, "apr_1", comment="too much", by=("ana", "bo"))

    assert type(found) is kind
    assert (found.outcome, found.comment, found.by) == (outcome, "too much", ("ana", "bo"))
    assert str(found) == sentence


def test_whoever_catches_a_rejection_catches_silence_but_no_failure() -> None:
    assert issubclass(Expired, Rejected)
    assert not issubclass(ChangesRequested, Rejected)
    assert not issubclass(Cancelled, Rejected)
    assert not issubclass(StepFailed, NoEffect)


def test_a_failed_step_says_which_and_how_often() -> None:
    failed = StepFailed("the bank is closed", step="pay_back", attempts=3)

    assert (str(failed), failed.step, failed.attempts) == ("the bank is closed", "pay_back", 3)
