"""`signoff budgets`: set, listed and shown; and a run that is given one."""

import json

import pytest

from tests.cli.conftest import Signoff


@pytest.mark.parametrize("limit", ["ten", "1.2.3", "tokens=many", "10.00 GOLD"])
def test_a_limit_that_is_no_amount_is_not_set(signoff: Signoff, limit: str) -> None:
    assert signoff("budgets", "set", limit).code == 2


def test_a_budget_is_set_listed_and_shown(signoff: Signoff) -> None:
    made = signoff("budgets", "set", "10.00", "tokens=500", "--per", "day", "--json")
    listed = signoff("budgets", "list")
    shown = signoff("budgets", "show", json.loads(made.out)["id"])

    assert json.loads(made.out)["limit"] == {"usd": "10.00", "tokens": 500}
    assert "of 10.00 USD" in listed.out.replace("\n", " ")
    assert "tenant" in shown.out


def test_what_never_stops_is_stopped_by_its_budget_summed_up_and_replayed(signoff: Signoff) -> None:
    said = signoff("run", "browse", "--budget", "0.50", "--wait")
    run = said.err.split()[0]

    shown = " ".join(signoff("runs", "show", run).out.split())
    journal = signoff("runs", "journal", run, "--json").out.splitlines()
    replayed = signoff("runs", "replay", run)

    assert (said.code, "✗ failed" in said.out) == (1, True)
    for each in (
        "5 steps finished, 0.50 USD, 250 tokens",
        f"{len(journal)} entries: ",
        "step.finished 5",
        "0.50 USD of 0.50 USD spent (100 %)",
        "[budget_exceeded]",
    ):
        assert each in shown
    assert (replayed.code, "the chain holds" in replayed.out) == (0, True)
