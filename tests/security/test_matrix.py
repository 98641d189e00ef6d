"""Who may do what: every door for programs against every kind of caller, enumerated from the app."""

from collections.abc import Mapping
from typing import Any

import pytest
from fastapi import FastAPI

from engine.services.keys import Scope
from tests.api.desk import ANA, ASKED, CHEN, Desk, Known
from tests.api.test_doors import PUBLIC, filled, routes

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

WHY: Mapping[str, Any] = {"reason": "Why not."}
READ, ASK, START, OPERATE = Scope.READ, Scope.APPROVALS_ASK, Scope.RUNS_START, Scope.OPERATE
# (method, path) -> the scope that opens it, and a body that fits; None is for whoever is known.
NEEDS: Mapping[tuple[str, str], tuple[Scope | None, Any]] = {
    ("POST", "/api/runs"): (START, {"workflow": "tests.pay", "input": {"order": "1"}}),
    ("GET", "/api/runs"): (READ, None),
    ("GET", "/api/runs/{id}"): (READ, None),
    ("GET", "/api/runs/{id}/journal"): (READ, None),
    ("GET", "/api/runs/{id}/changes"): (READ, None),
    ("GET", "/api/runs/{id}/trace"): (READ, None),
    ("GET", "/api/runs/{id}/trace/otlp"): (READ, None),
    ("GET", "/api/runs/{id}/checkpoints"): (READ, None),
    ("GET", "/api/runs/{id}/checkpoints/diff"): (READ, None),
    ("GET", "/api/runs/{id}/checkpoints/snapshot"): (READ, None),
    ("POST", "/api/artifacts"): (OPERATE, {"snapshot": {}}),
    ("GET", "/api/runs/{id}/replay"): (READ, None),
    ("GET", "/api/runs/{id}/rollback"): (READ, None),
    ("POST", "/api/runs/{id}/rollback"): (OPERATE, WHY),
    ("POST", "/api/runs/{id}/take-over"): (OPERATE, WHY),
    ("POST", "/api/runs/{id}/cancel"): (OPERATE, WHY),
    ("POST", "/api/runs/{id}/retry"): (OPERATE, WHY),
    ("POST", "/api/runs/{id}/pause"): (OPERATE, WHY),
    ("POST", "/api/runs/{id}/kill"): (OPERATE, WHY),
    ("POST", "/api/runs/{id}/settle"): (OPERATE, {**WHY, "outcome": "happened"}),
    ("POST", "/api/receipts"): (Scope.RECEIPTS, {"request_id": "x", "action": "refund"}),
    ("GET", "/api/receipts"): (READ, None),
    ("GET", "/api/receipts/{id}"): (READ, None),
    ("POST", "/api/receipts/{id}/settle"): (Scope.RECEIPTS, {**WHY, "outcome": "succeeded"}),
    ("POST", "/api/receipts/{id}/permit"): (
        Scope.RECEIPTS,
        {"token": "x" * 30, "audience": "bank"},
    ),
    ("POST", "/api/permits/spend"): (
        Scope.PERMITS,
        {"permit": "x.y", "spend_id": "1", "audience": "bank", "action": "refund"},
    ),
    ("POST", "/api/cases"): (ASK, {"title": "Did it arrive?"}),
    ("GET", "/api/cases"): (READ, None),
    ("GET", "/api/cases/{id}"): (READ, None),
    ("POST", "/api/cases/{id}/signals"): (Scope.SIGNALS, {"source": "a", "outcome": "yes"}),
    ("POST", "/api/cases/{id}/resolve"): (OPERATE, {**WHY, "outcome": "yes"}),
    ("POST", "/api/cases/{id}/close"): (OPERATE, WHY),
    ("GET", "/api/secret"): (OPERATE, None),
    ("POST", "/api/secret/reseal"): (OPERATE, {}),
    ("GET", "/api/budgets"): (READ, None),
    ("POST", "/api/budgets"): (OPERATE, {"limit": {"usd": "1.00"}}),
    ("GET", "/api/budgets/{id}"): (READ, None),
    ("DELETE", "/api/budgets/{id}"): (OPERATE, None),
    ("GET", "/api/definitions"): (READ, None),
    ("POST", "/api/definitions"): (OPERATE, {"source": "name: tidy"}),
    ("POST", "/api/definitions/check"): (READ, {"source": "name: tidy"}),
    ("GET", "/api/definitions/schema"): (READ, None),
    ("GET", "/api/definitions/{id}"): (READ, None),
    ("DELETE", "/api/definitions/{id}"): (OPERATE, None),
    ("GET", "/api/kill-switch"): (READ, None),
    ("POST", "/api/kill-switch"): (OPERATE, {**WHY, "action": "engage", "scope": "tenant"}),
    ("POST", "/api/runs/{id}/skip"): (OPERATE, WHY),
    ("POST", "/api/runs/{id}/resume"): (OPERATE, WHY),
    ("POST", "/api/runs/{id}/release"): (OPERATE, WHY),
    ("POST", "/api/runs/{id}/adopt"): (OPERATE, {**WHY, "to": "2"}),
    ("POST", "/api/runs/adopt"): (
        OPERATE,
        {**WHY, "to": "2", "workflow": "tests.pay", "from": "1"},
    ),
    ("GET", "/api/artifacts/{address}"): (READ, None),
    ("POST", "/api/approvals"): (ASK, ASKED),
    ("GET", "/api/approvals"): (READ, None),
    ("GET", "/api/approvals/{id}"): (READ, None),
    ("PATCH", "/api/approvals/{id}"): (OPERATE, {"title": "Refund 18?"}),
    ("POST", "/api/approvals/{id}/extend"): (OPERATE, {**WHY, "by": "1h"}),
    ("POST", "/api/approvals/{id}/cancel"): (OPERATE, WHY),
    ("POST", "/api/keys"): (OPERATE, {"name": "x", "scopes": ["read"]}),
    ("GET", "/api/keys"): (OPERATE, None),
    ("DELETE", "/api/keys/{id}"): (OPERATE, None),
    ("GET", "/api/outbox"): (OPERATE, None),
    ("POST", "/api/outbox/redrive"): (OPERATE, {}),
    ("GET", "/api/audit"): (OPERATE, None),
    ("GET", "/api/audit/verify"): (OPERATE, None),
    ("GET", "/api/audit/key"): (OPERATE, None),
    ("GET", "/api/audit/anchors"): (OPERATE, None),
    ("POST", "/api/audit/anchors"): (OPERATE, {}),
    ("GET", "/api/audit/export"): (OPERATE, None),
    ("POST", "/api/people/{id}/erase"): (OPERATE, WHY),
    ("GET", "/api/people/{id}/data"): (OPERATE, None),
    ("GET", "/api/holds"): (OPERATE, None),
    ("POST", "/api/holds"): (OPERATE, {**WHY, "scope": "tenant"}),
    ("POST", "/api/holds/release"): (OPERATE, {**WHY, "scope": "tenant"}),
    ("GET", "/api/events"): (READ, None),
    ("GET", "/api/tenants"): (OPERATE, None),
    ("POST", "/api/tenants"): (OPERATE, {"id": "beta", "name": "Beta"}),
    ("PATCH", "/api/tenants/{id}"): (OPERATE, {"name": "Beta"}),
    ("GET", "/api/stats"): (READ, None),
    ("GET", "/metrics"): (READ, None),
    ("GET", "/api/me"): (None, None),
    ("DELETE", "/api/session"): (None, None),
}
VOTES = ("POST", "/api/approvals/{id}/votes")
BACKUPS = ("POST", "/api/backups")  # for nobody but whoever opens the owner's socket
CALLBACKS = ("POST", "/callbacks/{approval}")
SLACK = ("POST", "/slack/events")


async def test_the_table_names_every_door_for_programs(app: FastAPI) -> None:
    doors = {door for door in routes(app) if door[1].startswith(("/api/", "/metrics"))}

    assert doors - PUBLIC.keys() - {VOTES, BACKUPS} | {("GET", "/metrics")} == NEEDS.keys()


async def test_a_key_opens_nothing_beyond_its_scopes(desk: Desk) -> None:
    approval, run = await given_another_ones(desk)
    opened: list[tuple[Scope, str, str]] = []

    for scope in Scope:
        key = await desk.key(scope)
        for (method, path), (needed, body) in NEEDS.items():
            if needed in {None, scope}:
                continue
            answer = await key.send(method, here(path, approval, run), json=body)
            if answer.status_code != 403:
                opened.append((scope, method, path))

    assert opened == []


async def test_a_key_never_votes_whatever_its_scopes(desk: Desk) -> None:
    approval, _run = await given_another_ones(desk)

    for scopes in (tuple(Scope), *((scope,) for scope in Scope)):
        key = await desk.key(*scopes, owner=ANA)
        body = {"choice": "approve", "version": 1}
        answer = await key.post(f"/api/approvals/{approval}/votes", body)
        assert answer.status_code == 403


@pytest.mark.parametrize("at", ["terminal", "browser"])
async def test_people_who_do_not_operate_only_read_and_vote(desk: Desk, at: str) -> None:
    approval, run = await given_another_ones(desk)
    headers = await signed_in(desk, at)
    changing = {door: body for door, (needed, body) in NEEDS.items() if needed not in {None, READ}}
    del changing["POST", "/api/approvals/{id}/extend"]  # approvers may: Chen is one

    answers = {
        door: (
            await desk.stranger.request(
                door[0], here(door[1], approval, run), json=body, headers=headers
            )
        ).status_code
        for door, body in changing.items()
    }

    assert {door: status for door, status in answers.items() if status != 403} == {}


async def test_the_socket_operates_and_is_nobody_who_votes(desk: Desk) -> None:
    approval, _run = await given_another_ones(desk)

    for path in (f"/api/approvals/{approval}/votes", f"/approvals/{approval}/votes"):
        answer = await desk.local.post(path, json={"choice": "approve", "version": 1})
        assert answer.status_code in {303, 403}
    seen = (await desk.local.get(f"/api/approvals/{approval}")).json()
    assert seen["votes"] == []


async def test_callbacks_and_slack_are_opened_by_no_key_or_session(desk: Desk) -> None:
    approval, _run = await given_another_ones(desk)

    for known in (await desk.key(), await desk.person(ANA)):
        answer = await known.post(f"/callbacks/{approval}", {"choice": "approve"})
        assert answer.status_code == 401
        assert (await known.post("/slack/events", {})).status_code == 404


async def given_another_ones(desk: Desk) -> tuple[str, str]:
    other: Known = await desk.key()
    asked = (await other.post("/api/approvals", ASKED)).json()
    return asked["id"], asked["run"]


async def signed_in(desk: Desk, at: str) -> dict[str, str]:
    if at == "browser":
        return {**await desk.cookie(CHEN), "origin": desk.application.base_url}
    return {"authorization": f"Bearer {(await desk.person(CHEN)).token}"}


def here(path: str, approval: str, run: str) -> str:
    known = run if path.startswith("/api/runs") else approval
    return filled(path.replace("{id}", known))
