"""Asking over HTTP: whatever could never be decided is refused when it is asked."""

from typing import Any

import pytest

from engine.services.keys import Scope
from tests.api.desk import ANA, ASKED, BO, DANA, Desk, code

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param({"kind": "poll"}, "unknown_kind", id="a kind that is not there"),
        pytest.param({"form": {}}, "invalid_form", id="a form for yes or no"),
        pytest.param({"fields": ["amount"]}, "invalid_fields", id="fields for yes or no"),
        pytest.param({"colour": "red"}, "invalid_request", id="an unknown key"),
        pytest.param({"title": " "}, "bad_title", id="no title"),
        pytest.param({"title": "x" * 201}, "bad_title", id="a title nobody reads"),
        pytest.param({"action": ""}, "bad_action", id="no action"),
        pytest.param({"approvers": "person:nobody"}, "unknown_approver", id="a stranger"),
        pytest.param({"approvers": "group:none"}, "unknown_approver", id="an unknown group"),
        pytest.param({"approvers": []}, "bad_approver", id="nobody"),
        pytest.param({"approvers": None}, "bad_approver", id="nobody said"),
        pytest.param({"quorum": 4}, "bad_quorum", id="more than there are"),
        pytest.param({"quorum": 0}, "bad_quorum", id="none"),
        pytest.param({"quorum": {"legal": 1}}, "bad_quorum", id="a group that is not asked"),
        pytest.param({"quorum": [2]}, "bad_quorum", id="no quorum at all"),
        pytest.param({"reject_quorum": 9}, "bad_quorum", id="never stoppable"),
        pytest.param({"reject_quorum": True}, "invalid_request", id="yes is no number"),
        pytest.param({"ladder": ["remind after 5m"]}, "bad_ladder", id="it never ends"),
        pytest.param({"ladder": ["approve after 5m"]}, "bad_ladder", id="silence never agrees"),
        pytest.param({"ladder": ["reject after x"]}, "bad_duration", id="no time"),
        pytest.param({"risk": "none"}, "bad_risk", id="an unknown risk"),
        pytest.param({"comment": "never"}, "bad_comment_rule", id="an unknown rule"),
        pytest.param({"routes": {"fax": ["1"]}}, "bad_routes", id="an unknown channel"),
        pytest.param({"routes": {"slack": ["#a"]}}, "unknown_channel", id="one not set up"),
        pytest.param({"details": {"n": 2**60}}, "not_canonical", id="a number that is too large"),
        pytest.param({"details": {"x": "y" * 300_000}}, "too_large", id="too much to read"),
        pytest.param({"callback_url": "ftp://x.example"}, "invalid_request", id="no http"),
        pytest.param({"callback_url": "https://x.example"}, "unknown_channel", id="no webhooks"),
        pytest.param({"requester": "ana"}, "bad_requester", id="a bare name"),
        pytest.param({"requester": "person:zoe"}, "unknown_requester", id="an unknown person"),
    ],
)
async def test_what_cannot_be_decided_is_refused(
    desk: Desk, change: dict[str, Any], expected: str
) -> None:
    key = await desk.key()

    response = await key.post("/api/approvals", {**ASKED, **change})

    assert code(response) == (422, expected)
    assert (await key.get("/api/approvals")).json()["approvals"] == []


async def test_a_key_that_may_not_ask_is_refused(desk: Desk) -> None:
    key = await desk.key(Scope.READ, Scope.RUNS_START)

    assert code(await key.post("/api/approvals", ASKED)) == (403, "missing_scope")


async def test_people_ask_for_nobody_else(desk: Desk) -> None:
    person, operator = await desk.person(BO), await desk.person(DANA)

    assert code(await person.post("/api/approvals", ASKED)) == (403, "missing_scope")
    asked = await operator.post("/api/approvals", {**ASKED, "requester": "person:ana"})
    assert asked.status_code == 202


async def test_asking_answers_where_to_look_and_until_when(desk: Desk) -> None:
    key = await desk.key(Scope.APPROVALS_ASK)

    response = await key.post("/api/approvals", ASKED)

    asked = response.json()
    assert response.status_code == 202
    assert response.headers["location"] == asked["status_url"] == f"/api/approvals/{asked['id']}"
    assert asked["page_url"] == f"/approvals/{asked['id']}"
    assert (asked["status"], asked["version"]) == ("open", 1)
    assert asked["expires_at"] == "2026-01-15T16:00:00.000000Z"
    assert asked["digest"].startswith("sha256:")
    assert "callback_secret" not in asked


async def test_the_owner_of_a_key_never_counts_for_what_it_asks(desk: Desk) -> None:
    key = await desk.key(owner=ANA)

    asked = (await key.post("/api/approvals", ASKED)).json()

    ana = await desk.person(ANA)
    refused = await ana.post(
        f"/api/approvals/{asked['id']}/votes", {"choice": "approve", "version": 1}
    )
    assert code(refused) == (403, "not_eligible")


async def test_the_same_request_again_gets_the_first_answer(desk: Desk) -> None:
    key, other = await desk.key(), await desk.key()
    first = await key.post("/api/approvals", ASKED, idempotency_key="order-17")

    again = await key.post("/api/approvals", ASKED, idempotency_key="order-17")
    another = await key.post(
        "/api/approvals", {**ASKED, "title": "Refund?"}, idempotency_key="order-17"
    )
    elsewhere = await other.post("/api/approvals", ASKED, idempotency_key="order-17")
    bad = await key.post("/api/approvals", ASKED, idempotency_key="x" * 256)

    assert (again.status_code, again.json()) == (202, first.json())
    assert code(another) == (409, "idempotency_conflict")
    assert elsewhere.json()["id"] != first.json()["id"]
    assert code(bad) == (422, "bad_idempotency_key")


async def test_a_quorum_for_each_group_names_the_approvers(desk: Desk) -> None:
    key = await desk.key()

    asked = await key.post(
        "/api/approvals", {"title": "Deploy?", "quorum": {"finance": 2}, "ladder": None}
    )

    approval = (await key.get(asked.json()["status_url"])).json()
    assert approval["approvers"] == ["group:finance"]
    assert approval["progress"]["groups"] == [{"name": "finance", "have": 0, "need": 2}]
    assert approval["action"] == "ask"
