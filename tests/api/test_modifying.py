"""Changing what is asked over HTTP: refused with words, agreed to by digest, and shown in three values."""

from typing import Any

import pytest

from tests.api.desk import ANA, ASKED, BO, Desk, code

pytestmark = pytest.mark.anyio

CHANGEABLE = {**ASKED, "kind": "modify", "fields": ["amount"]}


async def asked(desk: Desk) -> dict[str, Any]:
    key = await desk.key()
    found: dict[str, Any] = (await key.post("/api/approvals", CHANGEABLE)).json()
    return found


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param({"fields": None}, "invalid_fields", id="no field"),
        pytest.param({"fields": ["iban"]}, "invalid_fields", id="a field that is not there"),
        pytest.param({"kind": "binary"}, "invalid_fields", id="fields of a yes or no"),
        pytest.param({"kind": "form"}, "invalid_fields", id="fields of a form"),
        pytest.param({"kind": "poll"}, "unknown_kind", id="a kind that is not there"),
    ],
)
async def test_fields_that_cannot_be_marked_are_refused(
    desk: Desk, change: dict[str, Any], expected: str
) -> None:
    key = await desk.key()

    assert code(await key.post("/api/approvals", {**CHANGEABLE, **change})) == (422, expected)


@pytest.mark.parametrize(
    ("vote", "expected"),
    [
        ({"changes": ["amount"]}, "invalid_request"),
        ({"changes": {"order": "18"}}, "invalid_changes"),
        ({"changes": {"amount": 20}}, "invalid_changes"),
        ({"changes": {"amount": "20.00 EUR"}}, "invalid_changes"),
        ({"changes": {"amount": "20.00"}, "choice": "reject"}, "invalid_changes"),
    ],
)
async def test_changes_that_are_not_allowed_are_refused(
    desk: Desk, vote: dict[str, Any], expected: str
) -> None:
    approval, ana = await asked(desk), await desk.person(ANA)
    answer = {"choice": "approve", "digest": approval["digest"], **vote}

    refused = await ana.post(f"/api/approvals/{approval['id']}/votes", answer)

    assert code(refused) == (422, expected)
    assert (await ana.get(approval["status_url"])).json()["votes"] == []


async def test_the_second_approver_agrees_to_the_first_ones_changes_by_digest(desk: Desk) -> None:
    approval = await asked(desk)
    ana, bo = await desk.person(ANA), await desk.person(BO)
    votes = f"/api/approvals/{approval['id']}/votes"
    answer = {"choice": "approve", "digest": approval["digest"], "changes": {"amount": "20"}}
    await ana.post(votes, answer)
    [proposed] = (await bo.get(approval["status_url"])).json()["outcomes"]

    decided = await bo.post(votes, {"choice": "approve", "digest": proposed["digest"]})

    seen = (await bo.get(approval["status_url"])).json()
    difference = {"field": "amount", "old": "620.00", "new": "20.00"}
    assert proposed["differences"] == seen["differences"] == [difference]
    assert decided.json()["status"] == seen["status"] == "approved"
    assert (seen["kind"], seen["fields"]) == ("modify", ["amount"])
    assert (seen["proposed"], seen["decided"]) == ({"amount": "620.00"}, {"amount": "20.00"})
    assert seen["effective"]["details"] == {"order": "17", "amount": "20.00"}
    assert seen["decision"]["changes"] == seen["votes"][1]["changes"] == {"amount": "20.00"}
    assert seen["decision"]["effective_digest"] == proposed["digest"]
