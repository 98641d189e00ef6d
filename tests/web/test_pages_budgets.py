"""Operators see what is spent of which budget, and set one."""

import pytest

from tests.web.site import Browser

pytestmark = pytest.mark.anyio

TYPED = {"scope": "tenant", "limit": "100.00", "tokens": "", "per": "day", "then": "wait"}


async def test_only_operators_see_budgets(ana: Browser) -> None:
    assert (await ana.get("/budgets")).status_code == 403
    assert (await ana.post("/budgets", TYPED)).status_code == 403


async def test_a_budget_needs_the_form_of_ones_own_session(dana: Browser) -> None:
    assert (await dana.post("/budgets", {**TYPED, "csrf": "x"})).status_code == 403


async def test_a_budget_is_set_in_a_browser(dana: Browser) -> None:
    empty = await dana.get("/budgets")
    wrong = await dana.follow(await dana.submit(empty, "/budgets", **{**TYPED, "limit": "-3"}))
    made = await dana.follow(await dana.submit(empty, "/budgets", **TYPED))

    assert "nothing is limited" in empty.text
    assert "is negative" in wrong.text
    assert "The budget is set." in made.text
    assert "0.00 USD of 100.00 USD (0 %)" in made.text
    assert "people are asked for more" in made.text
