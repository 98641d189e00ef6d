"""Budgets over HTTP: set by operators, read by whoever may read, and given to a run at its start."""

from typing import Any

import pytest

from engine.services.keys import Scope
from tests.api.desk import Desk, code

pytestmark = pytest.mark.anyio

DAY = {"scope": "workflow:tests.pay", "per": "day", "limit": {"usd": "10.00", "tokens": 500}}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"limit": {"usd": 10.0}}, "bad_money"),
        ({"limit": {"usd": "-1.00"}}, "bad_money"),
        ({"limit": {"usd": "1.00", "eur": "1.00"}}, "mixed_currencies"),
        ({"limit": {}}, "bad_budget"),
        ({"scope": "everything"}, "bad_scope"),
        ({"per": "fortnight"}, "invalid_request"),
        ({"approvers": "nobody"}, "bad_approver"),
    ],
)
async def test_a_budget_that_makes_no_sense_is_refused(
    desk: Desk, change: dict[str, Any], expected: str
) -> None:
    key = await desk.key()

    assert code(await key.post("/api/budgets", {**DAY, **change})) == (422, expected)
    assert (await key.get("/api/budgets")).json() == {"budgets": []}


async def test_only_operators_set_budgets(desk: Desk) -> None:
    reader = await desk.key(Scope.READ)

    assert code(await reader.post("/api/budgets", DAY)) == (403, "missing_scope")
    assert code(await reader.get("/api/budgets/bud_0")) == (404, "not_found")


async def test_a_budget_is_set_read_changed_and_removed(desk: Desk) -> None:
    key = await desk.key()

    made = (await key.post("/api/budgets", DAY)).json()
    again = (await key.post("/api/budgets", {**DAY, "limit": {"usd": "20.00"}})).json()
    removed = await key.send("DELETE", f"/api/budgets/{made['id']}")

    assert [each["left"] for each in made["usage"]] == ["10.00 USD", "500 tokens"]
    assert (again["id"], again["limit"]) == (made["id"], {"usd": "20.00"})
    assert removed.status_code == 204
    assert (await key.get("/api/budgets")).json() == {"budgets": []}
    assert code(await key.send("DELETE", f"/api/budgets/{made['id']}")) == (404, "not_found")


async def test_a_run_is_given_a_budget_at_its_start(desk: Desk) -> None:
    key = await desk.key()
    start = {"workflow": "tests.pay", "input": {"order": "17"}}

    refused = await key.post("/api/runs", {**start, "budget": {"usd": 1.5}})
    begun = (await key.post("/api/runs", {**start, "budget": {"usd": "10.00"}})).json()

    assert code(refused) == (422, "bad_money")
    seen = (await key.get(f"/api/runs/{begun['id']}")).json()
    (limit,) = seen["budget"]["limits"]
    assert (limit["scope"], limit["limit"]) == (f"run:{begun['id']}", {"usd": "10.00"})
