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
