"""The sentence that says why a run has no consent: what was asked, who ended it, and their words."""

import pytest

from engine.rules.reasons import without_consent


@pytest.mark.parametrize(
    ("outcome", "by", "comment", "rule", "sentence"),
    [
        ("rejected", ["Ana"], "Too late", "reject_quorum", "was rejected by Ana: Too late."),
        ("rejected", ["Ana", "Bo", "Cy"], None, "quorum", "was rejected by Ana, Bo and Cy."),
        ("rejected", ["Ana"], "Not me", "approval_impossible",
         "was rejected: too few people were left to approve."),
        ("rejected", [], None, "", "was rejected."),
        ("rejected", ["Ana"], "Why?", "reject_quorum", "was rejected by Ana: Why?"),
        ("expired", [], None, "rung: reject after 4h", "was not decided in time: reject after 4h."),
        ("rollback", [], None, "rung: rollback after 4h",
         "was not decided in time: rollback after 4h."),
        ("changes_requested", ["Ana"], "Shorter", "quorum",
         "was sent back for changes by Ana: Shorter."),
        ("cancelled", ["Dana"], "Wrong order.", "withdrawn", "was withdrawn by Dana: Wrong order."),
        ("revoked", [], None, "", "ended without consent."),
    ],
)  # fmt: skip
def test_why_a_run_has_no_consent(
    outcome: str, by: list[str], comment: str | None, rule: str, sentence: str
) -> None:
    said = without_consent("Refund 17?", outcome, by=by, comment=comment, rule=rule)

    assert said == f"“Refund 17?” {sentence}"
