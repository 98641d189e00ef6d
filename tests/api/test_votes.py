"""Votes over HTTP: people only, through the one door, and told the truth."""

from datetime import timedelta
from typing import Any

import pytest

from tests.api.desk import ANA, ASKED, BO, CHEN, DANA, Desk, code
from tests.clock import ManualClock

pytestmark = pytest.mark.anyio


async def asked(desk: Desk, **change: object) -> dict[str, Any]:
    key = await desk.key()
    found: dict[str, Any] = (await key.post("/api/approvals", {**ASKED, **change})).json()
    return found


async def test_a_key_can_ask_and_never_vote(desk: Desk) -> None:
    approval, key = await asked(desk), await desk.key()

    refused = await key.post(
        f"/api/approvals/{approval['id']}/votes", {"choice": "approve", "version": 1}
    )
    by_nobody = await desk.local.post(
        f"/api/approvals/{approval['id']}/votes", json={"choice": "approve", "version": 1}
    )

    assert code(refused) == (403, "not_eligible")
    assert "A key can ask, never vote" in refused.text
    assert code(by_nobody) == (403, "not_eligible")


@pytest.mark.parametrize(
    ("vote", "expected"),
    [
        ({}, (422, "invalid_request")),
        ({"choice": "maybe"}, (422, "invalid_request")),
        ({"choice": "approve", "changes": {}}, (422, "invalid_request")),
        ({"choice": "approve", "colour": 1}, (422, "invalid_request")),
        ({"choice": "approve", "digest": "sha256:1"}, (422, "invalid_request")),
        ({"choice": "approve"}, (422, "invalid_request")),
        ({"choice": "request_changes", "version": 1}, (422, "comment_required")),
        ({"choice": "approve", "comment": "x" * 2001, "version": 1}, (422, "comment_too_long")),
        ({"choice": "approve", "digest": f"sha256:{'0' * 64}"}, (409, "superseded")),
        ({"choice": "approve", "version": 2}, (409, "superseded")),
    ],
)
async def test_a_vote_that_cannot_be_meant_is_refused(
    desk: Desk, vote: dict[str, Any], expected: tuple[int, str]
) -> None:
    approval, ana = await asked(desk), await desk.person(ANA)

    refused = await ana.post(f"/api/approvals/{approval['id']}/votes", vote)

    assert code(refused) == expected
    assert (await ana.get(approval["status_url"])).json()["votes"] == []


async def test_somebody_who_is_not_asked_is_refused(desk: Desk) -> None:
    approval, dana = await asked(desk), await desk.person(DANA)

    refused = await dana.post(
        f"/api/approvals/{approval['id']}/votes", {"choice": "approve", "version": 1}
    )
    nowhere = await dana.post("/api/approvals/apr_0/votes", {"choice": "approve", "version": 1})

    assert code(refused) == (403, "not_eligible")
    assert code(nowhere) == (404, "not_found")


async def test_late_votes_are_told_so(desk: Desk, clock: ManualClock) -> None:
    approval, ana = await asked(desk), await desk.person(ANA)
    await clock.advance(timedelta(hours=4))

    refused = await ana.post(
        f"/api/approvals/{approval['id']}/votes", {"choice": "approve", "version": 1}
    )

    assert code(refused) == (409, "expired")


async def test_two_people_decide_and_the_third_is_told_who(desk: Desk) -> None:
    approval = await asked(desk)
    votes = f"/api/approvals/{approval['id']}/votes"
    ana, bo, chen = [await desk.person(person) for person in (ANA, BO, CHEN)]

    first = await ana.post(votes, {"choice": "approve", "digest": approval["digest"]})
    twice = await ana.post(votes, {"choice": "approve", "version": 1})
    second = await bo.post(votes, {"choice": "approve", "comment": "Fine.", "version": 1})
    third = await chen.post(votes, {"choice": "reject", "version": 1})

    assert first.json() == {
        "recorded": True,
        "counted": True,
        "status": "open",
        "message": "Recorded. 1 of 2 approvals.",
    }
    assert (twice.status_code, twice.json()["status"]) == (200, "open")
    assert second.json()["status"] == "approved"
    assert code(third) == (409, "already_decided")
    assert "Ana Diaz" in third.text


async def test_an_approval_is_answered_in_the_shape_of_the_contract(desk: Desk) -> None:
    approval, ana = await asked(desk), await desk.person(ANA)
    no = {"choice": "reject", "comment": "No", "version": 1}
    await ana.post(f"/api/approvals/{approval['id']}/votes", no)

    seen = (await ana.get(approval["status_url"])).json()

    assert {"id", "run", "status", "version", "digest", "action", "title", "details"} < seen.keys()
    assert seen["progress"]["approve"] == {"have": 0, "need": 2}
    assert seen["progress"]["reject"] == {"have": 1, "need": 1}
    vote = seen["votes"][0]
    assert (vote["person"], vote["choice"], vote["comment"]) == ("ana", "reject", "No")
    assert (vote["channel"], vote["identified_by"], vote["counted"]) == ("cli", "session", True)
    assert (vote["changes"], vote["at"]) == (None, "2026-01-15T12:00:00.000000Z")
    decision = seen["decision"]
    assert (decision["outcome"], decision["by"]) == ("rejected", ["ana"])
    assert {"changes", "rule", "at", "consumed_at"} < decision.keys()
    assert (seen["status"], seen["next_rung"], seen["messages"]) == ("rejected", None, [])
