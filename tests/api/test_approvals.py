"""Approvals over HTTP: found, waited for, edited, extended and taken back."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from engine.services import rungs
from engine.services.keys import Scope
from tests.api.desk import ANA, ASKED, BO, CHEN, DANA, Desk, Known, code
from tests.clock import ManualClock

pytestmark = pytest.mark.anyio


async def asked(by: Known, **change: object) -> dict[str, Any]:
    found: dict[str, Any] = (await by.post("/api/approvals", {**ASKED, **change})).json()
    return found


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("status=gone", "invalid_request"),
        ("limit=0", "invalid_request"),
        ("limit=201", "invalid_request"),
        ("cursor=x", "invalid_request"),
        (f"q={'x' * 201}", "invalid_request"),
        ("approver=group:finance", "bad_filter"),
        ("approver=me", "bad_filter"),
        ("approver=person:ana&status=approved", "bad_filter"),
    ],
)
async def test_a_list_nobody_can_mean_is_refused(desk: Desk, query: str, expected: str) -> None:
    key = await desk.key()

    assert code(await key.get(f"/api/approvals?{query}")) == (422, expected)


async def test_a_list_is_filtered_and_paged(desk: Desk, clock: ManualClock) -> None:
    key, ana, dana = await desk.key(), await desk.person(ANA), await desk.person(DANA)
    ids = []
    for title in ("Refund 1?", "Refund 2?", "Deploy 100%?"):
        ids.append((await asked(key, title=title))["id"])
        await clock.advance(timedelta(seconds=1))
    await asked(key, title="For Dana", approvers="person:dana", quorum=1)

    async def found(query: str, by: Known = key) -> list[str]:
        page = (await by.get(f"/api/approvals?{query}")).json()
        return [approval["id"] for approval in page["approvals"]]

    first = (await key.get("/api/approvals?q=refund%20&limit=1")).json()
    assert [approval["id"] for approval in first["approvals"]] == [ids[1]]
    assert await found(f"q=refund%20&limit=1&cursor={first['next']}") == [ids[0]]
    assert await found("q=100%25") == [ids[2]]
    assert await found("approver=person:ana") == await found("approver=me", ana) == ids[::-1]
    assert len(await found("approver=me", dana)) == 1
    assert await found("status=approved") == []


@pytest.mark.parametrize("wait", ["-1", "61", "soon"])
async def test_nobody_waits_for_ever(desk: Desk, wait: str) -> None:
    key = await desk.key()
    approval = await asked(key)

    refused = await key.get(f"{approval['status_url']}?wait={wait}")

    assert code(refused) == (422, "invalid_request")
    assert code(await key.get("/api/approvals/apr_0?wait=1")) == (404, "not_found")


async def test_waiting_ends_with_the_approval_or_in_time(desk: Desk) -> None:
    key, ana = await desk.key(), await desk.person(ANA)
    approval = await asked(key, quorum=1)

    still_open = await key.get(f"{approval['status_url']}?wait=1")
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(key.get(f"{approval['status_url']}?wait=60"))
        voted = group.create_task(
            ana.post(f"{approval['status_url']}/votes", {"choice": "approve", "version": 1})
        )

    assert still_open.json()["status"] == "open"
    assert voted.result().json()["status"] == waiting.result().json()["status"] == "approved"


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        ({}, (422, "invalid_request")),
        ({"version": 1}, (422, "invalid_request")),
        ({"ladder": ["reject after 9h"]}, (422, "invalid_request")),
        ({"title": ""}, (422, "bad_title")),
        ({"quorum": 4}, (422, "bad_quorum")),
        ({"approvers": "person:ana"}, (422, "bad_quorum")),
        ({"approvers": "person:zoe"}, (422, "unknown_approver")),
        ({"title": "Refund 18?", "version": 2}, (409, "superseded")),
    ],
)
async def test_an_edit_that_leads_nowhere_is_refused(
    desk: Desk, edit: dict[str, Any], expected: tuple[int, str]
) -> None:
    key = await desk.key()
    approval = await asked(key)

    assert code(await key.send("PATCH", approval["status_url"], json=edit)) == expected
    assert (await key.get(approval["status_url"])).json()["version"] == 1


async def test_only_whoever_asked_and_operators_change_what_is_asked(desk: Desk) -> None:
    asker, other = (
        await desk.key(Scope.APPROVALS_ASK, Scope.READ, owner=BO),
        await desk.key(Scope.APPROVALS_ASK, Scope.READ),
    )
    approval = await asked(asker)
    url, edit = approval["status_url"], {"title": "Refund 18?"}
    why = {"reason": "No longer."}

    for stranger in (other, await desk.person(ANA)):
        assert code(await stranger.send("PATCH", url, json=edit)) == (403, "not_yours")
        assert code(await stranger.post(f"{url}/cancel", why)) == (403, "not_yours")
    assert code(await asker.post(f"{url}/extend", {**why, "by": "1h"})) == (403, "not_yours")
    for known in (asker, await desk.person(BO), await desk.person(DANA)):
        assert (await known.send("PATCH", url, json=edit)).status_code == 200
    assert (await desk.local.patch(url, json={"quorum": 1})).json()["version"] == 3


async def test_an_edit_is_a_version_on_which_everybody_votes_anew(desk: Desk) -> None:
    key, ana, bo = await desk.key(), await desk.person(ANA), await desk.person(BO)
    approval = await asked(key)
    votes = f"{approval['status_url']}/votes"
    await ana.post(votes, {"choice": "approve", "version": 1})

    edited = await key.send(
        "PATCH", approval["status_url"], json={"details": {"amount": "1.00"}, "version": 1}
    )
    same = await key.send("PATCH", approval["status_url"], json={"details": {"amount": "1.00"}})
    late = await bo.post(votes, {"choice": "approve", "digest": approval["digest"]})
    counted = await bo.post(votes, {"choice": "approve", "digest": edited.json()["digest"]})

    assert (edited.json()["version"], same.json()["version"]) == (2, 2)
    assert edited.json()["progress"]["approve"] == {"have": 0, "need": 2}
    assert edited.json()["expires_at"] == approval["expires_at"]
    assert code(late) == (409, "superseded")
    assert counted.json()["message"] == "Recorded. 1 of 2 approvals."
    run = f"/api/runs/{approval['run']}"
    kinds = [e["kind"] for e in (await key.get(f"{run}/journal")).json()["entries"]]
    assert kinds.count("approval.edited") == 1
    assert (await key.get(f"{run}/replay")).json() == {"equal": True, "differences": []}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"by": "2h"}, "invalid_request"),
        ({"by": "2h", "reason": " "}, "invalid_request"),
        ({"by": "soon", "reason": "x"}, "bad_duration"),
        ({"by": "0s", "reason": "x"}, "bad_duration"),
        ({"by": "400d", "reason": "x"}, "bad_duration"),
    ],
)
async def test_more_time_needs_a_time_and_a_reason(
    desk: Desk, body: dict[str, Any], expected: str
) -> None:
    ana = await desk.person(ANA)
    approval = await asked(await desk.key())

    assert code(await ana.post(f"{approval['status_url']}/extend", body)) == (422, expected)


async def test_more_time_moves_what_has_not_happened_yet(desk: Desk, clock: ManualClock) -> None:
    key, ana = await desk.key(), await desk.person(ANA)
    approval = await asked(key, ladder=["remind after 1h", "reject after 4h"])
    await clock.advance(timedelta(hours=1))
    await desk.application.database.write(rungs.fire_due)
    ana = await desk.person(ANA)

    extended = await ana.post(
        f"{approval['status_url']}/extend", {"by": "2h", "reason": "Bo is on a train."}
    )
    await clock.advance(timedelta(hours=3))
    await desk.application.database.write(rungs.fire_due)

    assert extended.json()["expires_at"] == "2026-01-15T18:00:00.000000Z"
    assert extended.json()["next_rung"]["text"] == "reject after 6h"
    assert extended.json()["version"] == 1
    assert (await key.get(approval["status_url"])).json()["status"] == "open"
    await clock.advance(timedelta(hours=2))
    await desk.application.database.write(rungs.fire_due)
    assert (await key.get(approval["status_url"])).json()["status"] == "expired"


async def test_what_is_over_is_not_changed(desk: Desk, clock: ManualClock) -> None:
    key, why = await desk.key(), {"reason": "No longer needed."}
    cancelled, expired = await asked(key), await asked(key)
    first = await key.post(f"{cancelled['status_url']}/cancel", why)
    again = await key.post(f"{cancelled['status_url']}/cancel", why)
    edited = await key.send("PATCH", cancelled["status_url"], json={"title": "Again?"})
    await clock.advance(timedelta(hours=4))
    late = await key.post(f"{expired['status_url']}/extend", {**why, "by": "1h"})

    assert (first.json()["status"], first.json()["decision"]["comment"]) == (
        "cancelled",
        "No longer needed.",
    )
    assert code(again) == code(edited) == (409, "already_decided")
    assert code(late) == (409, "expired")


async def test_a_vote_on_what_was_taken_back_is_told_so(desk: Desk) -> None:
    key, chen = await desk.key(), await desk.person(CHEN)
    approval = await asked(key)
    await key.post(f"{approval['status_url']}/cancel", {"reason": "Wrong order."})

    refused = await chen.post(
        f"{approval['status_url']}/votes", {"choice": "approve", "version": 1}
    )

    assert code(refused) == (409, "already_decided")
