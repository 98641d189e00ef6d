"""Forms and budgets over HTTP: refused with words, filled in or granted, and told in full."""

from typing import Any

import pytest

from tests.api.desk import ANA, ASKED, BO, Desk, code

pytestmark = pytest.mark.anyio

FORM = {
    "required": ["when"],
    "properties": {
        "when": {"type": "string", "title": "When", "enum": ["tonight", "tomorrow"]},
        "replicas": {"type": "integer", "default": 3},
    },
}
BY_FORM = {**ASKED, "kind": "form", "form": FORM}
BUDGET = {**ASKED, "kind": "budget", "details": {"amount": "620.00 USD", "department": "Sales"}}


async def asked(desk: Desk, body: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = (await (await desk.key()).post("/api/approvals", body)).json()
    return found


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({**BY_FORM, "form": None}, "invalid_form"),
        ({**BY_FORM, "form": {"properties": {"when": {"type": "object"}}}}, "invalid_form"),
        ({**BY_FORM, "form": ["when"]}, "invalid_request"),
        ({**ASKED, "form": FORM}, "invalid_form"),
        ({**BY_FORM, "ladder": ["continue with {} after 1h"]}, "invalid_form"),
        ({**BY_FORM, "risk": "low", "ladder": ["approve after 1h"]}, "invalid_form"),
        ({**BUDGET, "details": {"amount": 620.0}}, "bad_money"),
        ({**BUDGET, "details": {}}, "bad_money"),
        ({**BUDGET, "ladder": ['continue with {"amount": "9999"} after 1h']}, "invalid_changes"),
    ],
)
async def test_what_could_never_be_answered_is_refused(
    desk: Desk, body: dict[str, Any], expected: str
) -> None:
    key = await desk.key()

    assert code(await key.post("/api/approvals", body)) == (422, expected)


@pytest.mark.parametrize(
    ("vote", "expected"),
    [
        ({}, "invalid_form"),
        ({"form": {}}, "invalid_form"),
        ({"form": {"when": "later"}}, "invalid_form"),
        ({"form": {"when": "tonight", "replicas": "many"}}, "invalid_form"),
        ({"form": ["when"]}, "invalid_request"),
        ({"changes": {"when": "tonight"}}, "invalid_form"),
        ({"form": {"when": "tonight"}, "choice": "abstain"}, "invalid_changes"),
    ],
)
async def test_a_form_that_is_not_filled_in_is_refused(
    desk: Desk, vote: dict[str, Any], expected: str
) -> None:
    approval, ana = await asked(desk, BY_FORM), await desk.person(ANA)
    answer = {"choice": "approve", "digest": approval["digest"], **vote}

    refused = await ana.post(f"/api/approvals/{approval['id']}/votes", answer)

    assert code(refused) == (422, expected)
    assert (await ana.get(approval["status_url"])).json()["votes"] == []


async def test_what_two_people_fill_in_alike_is_told_with_their_votes(desk: Desk) -> None:
    approval = await asked(desk, BY_FORM)
    votes = f"/api/approvals/{approval['id']}/votes"
    for person, form in ((ANA, {"when": "tonight"}), (BO, {"when": "tonight", "replicas": 3})):
        answer = {"choice": "approve", "digest": approval["digest"], "form": form}
        await (await desk.person(person)).post(votes, answer)

    seen = (await (await desk.person(ANA)).get(approval["status_url"])).json()

    filled = {"when": "tonight", "replicas": 3}
    assert (seen["status"], seen["kind"]) == ("approved", "form")
    assert seen["form"] == FORM
    assert seen["decision"]["form"] == seen["effective"]["form"] == filled
    assert [vote["form"] for vote in seen["votes"]] == [filled, filled]
    assert seen["differences"] == [{"field": "when", "old": None, "new": "tonight"}]


async def test_an_edit_leaves_the_form_and_the_order_of_its_fields(desk: Desk) -> None:
    approval, key = await asked(desk, BY_FORM), await desk.key()

    same = await key.send("PATCH", approval["status_url"], json={"title": ASKED["title"]})
    edited = await key.send("PATCH", approval["status_url"], json={"title": "Refund 18?"})

    assert same.json()["version"] == 1
    assert edited.json()["version"] == 2
    assert edited.json()["fields"] == ["when", "replicas"]
    assert list(edited.json()["form"]["properties"]) == ["when", "replicas"]


async def test_less_is_granted_than_was_asked_and_never_more(desk: Desk) -> None:
    approval, ana = await asked(desk, {**BUDGET, "quorum": 1}), await desk.person(ANA)
    votes = f"/api/approvals/{approval['id']}/votes"
    answer = {"choice": "approve", "digest": approval["digest"]}

    more = await ana.post(votes, {**answer, "changes": {"amount": "620.01"}})
    less = await ana.post(votes, {**answer, "changes": {"amount": "500"}})

    seen = (await ana.get(approval["status_url"])).json()
    assert code(more) == (422, "invalid_changes")
    assert less.json()["status"] == "approved"
    assert (seen["kind"], seen["fields"]) == ("budget", ["amount"])
    assert seen["effective"]["details"] == {"amount": "500.00 USD", "department": "Sales"}
