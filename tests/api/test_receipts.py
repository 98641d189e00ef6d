"""The doors to receipts: for keys of their own scope, one winner, and words for everybody else."""

import re
from typing import Any

import pytest
from fastapi import FastAPI

from engine.services.keys import Scope
from tests.api.desk import ANA, ASKED, BO, DANA, Desk
from tests.api.test_doors import routes
from tests.architecture.sources import ROOT, read

pytestmark = pytest.mark.anyio

FIELDS = {"ok", "reason", "request_id", "execution_id", "action", "payload", "timestamp_utc"}
CLAIM = {"request_id": "order-17", "action": "refund", "payload": {"order": "17"}}


async def test_only_keys_of_that_scope_claim(desk: Desk) -> None:
    asking = await desk.key(Scope.APPROVALS_ASK, Scope.READ)

    refused = await asking.post("/api/receipts", CLAIM)

    assert (refused.status_code, refused.json()["code"]) == (403, "missing_scope")


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"request_id": " "}, 422, "missing_request_id"),
        ({"request_id": "x" * 501}, 422, "bad_request_id"),
        ({"lease_s": 0}, 422, "invalid_request"),
        ({"token": "short"}, 422, "invalid_request"),
        ({"requires": "apr_none"}, 404, "not_found"),
        ({"surprise": 1}, 422, "invalid_request"),
    ],
)
async def test_a_claim_that_cannot_be_kept_is_refused(
    desk: Desk, changes: dict[str, Any], status: int, code: str
) -> None:
    key = await desk.key(Scope.RECEIPTS)

    refused = await key.post("/api/receipts", {**CLAIM, **changes})

    assert (refused.status_code, refused.json()["code"]) == (status, code)


async def test_another_payload_is_a_conflict(desk: Desk) -> None:
    key = await desk.key(Scope.RECEIPTS)
    await key.post("/api/receipts", CLAIM)

    refused = await key.post("/api/receipts", {**CLAIM, "payload": {"order": "18"}})

    assert (refused.status_code, refused.json()["code"]) == (409, "request_id_conflict")


async def test_it_is_granted_once_and_settled_with_its_token(desk: Desk) -> None:
    key = await desk.key(Scope.RECEIPTS, Scope.READ)

    first = await key.post("/api/receipts", CLAIM)
    second = await key.post("/api/receipts", CLAIM)
    receipt = first.json()["receipt"]["execution_id"]
    path = f"/api/receipts/{receipt}/settle"
    wrong = await key.post(path, {"outcome": "succeeded", "token": "x" * 40})
    right = await key.post(
        path, {"outcome": "succeeded", "token": first.json()["token"], "result": {"r": 1}}
    )
    third = await key.post("/api/receipts", CLAIM)
    read = await key.get(f"/api/receipts/{receipt}")
    listed = await key.get("/api/receipts?state=succeeded")

    assert (first.status_code, first.json()["granted"]) == (201, True)
    assert (second.status_code, second.json()["receipt"]["reason"]) == (200, "in_progress")
    assert (wrong.status_code, wrong.json()["code"]) == (409, "claim_lost")
    assert (right.status_code, right.json()["ok"]) == (200, True)
    assert third.json()["receipt"]["reason"] == "dedup_same_request_id"
    assert third.json()["receipt"].keys() >= FIELDS
    assert {name: third.json()["receipt"][name] for name in CLAIM} == CLAIM
    assert read.json()["result"] == {"r": 1}
    assert [each["execution_id"] for each in listed.json()["receipts"]] == [receipt]


async def test_a_claim_whose_answer_was_lost_is_the_same_one(desk: Desk) -> None:
    key = await desk.key(Scope.RECEIPTS)
    claim = {**CLAIM, "token": "my-own-random-token-000000"}

    first = await key.post("/api/receipts", claim)
    again = await key.post("/api/receipts", claim)

    assert first.json() == again.json()
    assert again.json()["granted"] is True


async def test_before_the_consent_that_it_requires_it_is_blocked_and_not_remembered(
    desk: Desk,
) -> None:
    key = await desk.key(Scope.RECEIPTS, Scope.APPROVALS_ASK)
    asked = (await key.post("/api/approvals", ASKED)).json()
    claim = {**CLAIM, "requires": asked["id"]}
    vote = {"choice": "approve", "digest": asked["digest"]}

    early = await key.post("/api/receipts", claim)
    for person in (ANA, BO):
        voter = await desk.person(person)
        await voter.post(f"/api/approvals/{asked['id']}/votes", vote)
    granted = await key.post("/api/receipts", claim)
    other = await key.post("/api/receipts", {**claim, "request_id": "order-17-again"})

    assert early.json()["receipt"]["reason"] == "blocked:open"
    assert granted.json()["granted"] is True
    assert (other.json()["granted"], other.json()["receipt"]["reason"]) == (False, "in_progress")


@pytest.mark.parametrize("elsewhere", [{"namespace": "other"}, {"effect": "another"}])
async def test_one_consent_allows_one_effect_under_whatever_name(
    desk: Desk, elsewhere: dict[str, str]
) -> None:
    key = await desk.key(Scope.RECEIPTS, Scope.APPROVALS_ASK)
    asked = (await key.post("/api/approvals", {**ASKED, "quorum": 1})).json()
    vote = {"choice": "approve", "digest": asked["digest"]}
    await (await desk.person(ANA)).post(f"/api/approvals/{asked['id']}/votes", vote)
    claim = {**CLAIM, "requires": asked["id"]}
    first = (await key.post("/api/receipts", claim)).json()
    ending = {"outcome": "failed_no_effect", "token": first["token"]}
    await key.post(f"/api/receipts/{first['receipt']['execution_id']}/settle", ending)

    again = {**claim, **elsewhere, "request_id": "again"}
    refused = await key.post("/api/receipts", again)
    recorded = await key.post("/api/receipts", {**again, "records": True})
    same = await key.post("/api/receipts", claim)

    refusals = [(each.status_code, each.json()["code"]) for each in (refused, recorded)]
    assert refusals == [(409, "request_id_conflict")] * 2
    assert (first["granted"], same.json()["granted"]) == (True, True)


async def test_what_other_claim_servers_say_is_said_here(app: FastAPI, desk: Desk) -> None:
    page = read(ROOT / "docs" / "how-to" / "receipts.md").partition("## If you know")[2]
    named = set(re.findall(r"`(GET|POST) (/[^`]+)`", page))
    key = await desk.key(Scope.RECEIPTS)

    proceed, pending = [await key.post("/api/receipts", CLAIM) for _claim in range(2)]
    path = f"/api/receipts/{proceed.json()['receipt']['execution_id']}/settle"
    ended = {"outcome": "succeeded", "token": proceed.json()["token"], "result": 1}
    await key.post(path, ended)
    skip = await key.post("/api/receipts", CLAIM)

    assert len(named) > 6
    assert named - routes(app) == set()
    assert [each.json()["granted"] for each in (proceed, pending, skip)] == [True, False, False]
    assert pending.json()["receipt"]["reason"] == "in_progress"
    assert (skip.json()["receipt"]["ok"], skip.json()["receipt"]["result"]) == (True, 1)


async def test_only_operators_settle_a_step(desk: Desk) -> None:
    key = await desk.key(Scope.RECEIPTS, Scope.RUNS_START)
    operator = await desk.person(DANA)
    started = await (await desk.key(Scope.RUNS_START)).post(
        "/api/runs", {"workflow": "tests.pay", "input": {"order": "1"}}
    )
    body = {"outcome": "happened", "reason": "I looked."}
    path = f"/api/runs/{started.json()['id']}/settle"

    refused = await key.post(path, body)
    early = await operator.post(path, body)

    assert (refused.status_code, refused.json()["code"]) == (403, "missing_scope")
    assert (early.status_code, early.json()["code"]) == (409, "not_unknown")
