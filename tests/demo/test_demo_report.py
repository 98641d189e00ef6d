"""The table of `--auto`: a claim that was not seen to come true is not true."""

import pytest
from rich.console import Console

from bot.demo.table import Claim, Report, Untrue, demand


def shown(report: Report) -> str:
    console = Console(width=200, no_color=True)
    with console.capture() as captured:
        console.print(report.table())
    return captured.get()


def fail(error: Exception) -> None:
    raise error


def test_what_was_never_tried_is_not_true() -> None:
    report = Report()

    assert not report.is_well
    assert set(report.failures) == set(Claim)
    assert shown(report).count("✗") == len(Claim)


def test_one_claim_that_fails_is_enough_and_says_why() -> None:
    report = Report()
    for claim in Claim:
        with report.showing(claim) as proof:
            demand(claim is not Claim.PAID, "The ledger says: twice.")
            proof.append("seen")

    assert not report.is_well
    assert report.failures == {Claim.PAID: "The ledger says: twice."}
    assert "The ledger says: twice." in shown(report)


def test_whatever_goes_wrong_is_told_and_the_next_claim_is_tried() -> None:
    report = Report()
    both = ExceptionGroup("both", [ValueError("one"), Untrue("two")])
    for claim, error in ((Claim.KILLED, TimeoutError()), (Claim.CLOSED, both)):
        with report.showing(claim):
            fail(error)
    with report.showing(Claim.SOUND) as proof:
        proof.append("3 runs")

    assert "took too long" in report.failures[Claim.KILLED]
    assert report.failures[Claim.CLOSED] == "ValueError: one; two"
    assert Claim.SOUND not in report.failures


def test_all_of_it_is_well_with_how_it_was_seen() -> None:
    report = Report()
    for claim in Claim:
        with report.showing(claim) as proof:
            proof.extend(["seen", "here"])

    assert report.is_well
    assert "✗" not in shown(report)
    assert shown(report).count("seen; here") == len(Claim)


@pytest.mark.parametrize("what", [False, None, [], ""])
def test_a_demand_that_is_not_met_stops(what: object) -> None:
    with pytest.raises(Untrue, match="no"):
        demand(what, "no")
