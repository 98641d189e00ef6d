"""Keys, the outbox, numbers and health: for operators, and no more than that for others."""

from datetime import timedelta

import pytest

from engine.ids import DEFAULT_TENANT
from engine.services import deliveries, rotating
from engine.services.keys import Scope
from engine.store.outbox import NewDelivery
from tests.api.desk import ANA, ASKED, DANA, Desk, code
from tests.api.media import Quiet
from tests.clock import ManualClock

pytestmark = pytest.mark.anyio
KEY = {"name": "agent", "scopes": ["read"]}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/keys"),
        ("GET", "/api/keys"),
        ("DELETE", "/api/keys/key_0"),
        ("GET", "/api/outbox"),
        ("POST", "/api/outbox/redrive"),
        ("GET", "/api/secret"),
        ("POST", "/api/secret/reseal"),
    ],
)
async def test_only_operators_operate(desk: Desk, method: str, path: str) -> None:
    for caller in (await desk.person(ANA), await desk.key(Scope.READ, Scope.APPROVALS_ASK)):
        assert code(await caller.send(method, path, json=KEY)) == (403, "missing_scope")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"name": "x"}, "invalid_request"),
        ({**KEY, "scopes": []}, "unknown_scope"),
        ({**KEY, "scopes": ["vote"]}, "unknown_scope"),
        ({**KEY, "name": "\n"}, "bad_key_name"),
        ({**KEY, "owner": "person:zoe"}, "unknown_owner"),
        ({**KEY, "expires_at": "2020-01-01T00:00:00Z"}, "bad_expiry"),
        ({**KEY, "expires_at": "2026-02-01T00:00:00"}, "invalid_request"),
    ],
)
async def test_a_key_that_makes_no_sense_is_not_made(
    desk: Desk, body: dict[str, object], expected: str
) -> None:
    dana = await desk.person(DANA)

    assert code(await dana.post("/api/keys", body)) == (422, expected)
    assert (await dana.get("/api/keys")).json() == {"keys": []}


async def test_a_key_is_shown_once_and_ends_when_it_is_revoked(desk: Desk) -> None:
    dana = await desk.person(DANA)
    made = (await dana.post("/api/keys", {**KEY, "owner": "person:ana"})).json()
    bearer = {"authorization": f"Bearer {made['key']}"}
    me = (await desk.stranger.get("/api/me", headers=bearer)).json()

    revoked = await dana.send("DELETE", f"/api/keys/{made['id']}")

    assert (me["kind"], me["key"], me["owner"], me["scopes"]) == (
        "key",
        made["id"],
        "ana",
        ["read"],
    )
    assert revoked.json()["revoked_at"] == "2026-01-15T12:00:00.000000Z"
    assert code(await desk.stranger.get("/api/me", headers=bearer)) == (401, "bad_key")
    assert made["key"] not in (await dana.get("/api/keys")).text
    assert code(await dana.send("DELETE", "/api/keys/key_0")) == (404, "not_found")


async def test_dead_messages_are_listed_and_sent_again(desk: Desk, clock: ManualClock) -> None:
    database, key = desk.application.database, await desk.key()
    new = NewDelivery(
        tenant=DEFAULT_TENANT, message=None, channel="email", address="ana@example.com",
        kind="tell", event="tests", due_at=clock.now(), payload={},
    )  # fmt: skip
    await database.write(lambda tx: deliveries.enqueue(tx, new))
    minute = timedelta(minutes=1)
    claimed = await database.write(
        lambda tx: deliveries.claim(tx, "email", limit=1, lease_for=minute)
    )
    await database.write(lambda tx: deliveries.failed(tx, claimed[0], "No.", retry_at=None))

    page = (await key.get("/api/outbox?status=dead")).json()
    unknown = await key.post("/api/outbox/redrive", {"delivery": "dlv_0"})
    again = await key.post("/api/outbox/redrive")

    assert [(line["error"], line["attempts"]) for line in page["deliveries"]] == [("No.", 1)]
    assert (page["counts"]["dead"], page["next"]) == (1, None)
    assert code(unknown) == (404, "not_found")
    assert again.json() == {"redriven": 1}
    assert code(await key.get("/api/outbox?status=lost")) == (422, "invalid_request")


async def test_a_redrive_that_cannot_be_read_sends_nothing(desk: Desk) -> None:
    key = await desk.key()
    headers = {"authorization": f"Bearer {key.token}", "content-type": "application/json"}

    response = await desk.stranger.post("/api/outbox/redrive", content=b"{", headers=headers)

    assert code(response) == (422, "bad_json")


async def test_numbers_say_how_things_stand(desk: Desk, clock: ManualClock) -> None:
    key, ana = await desk.key(), await desk.person(ANA)
    approval = (await key.post("/api/approvals", {**ASKED, "quorum": 1})).json()
    await key.post("/api/approvals", ASKED)
    await clock.advance(timedelta(minutes=5))
    await ana.post(f"{approval['status_url']}/votes", {"choice": "approve", "version": 1})

    stats = (await key.get("/api/stats")).json()
    metrics = (await key.get("/metrics")).text

    assert stats["approvals"] == {"approved": 1, "open": 1}
    assert stats["time_to_decision"] == {"count": 1, "median_s": 300.0, "p90_s": 300.0}
    assert 'signoff_approvals{status="open",tenant="default"} 1.0' in metrics
    assert 'signoff_outbox{status="dead",tenant="default"} 0.0' in metrics
    assert 'signoff_decision_seconds{quantile="0.5",tenant="default"} 300.0' in metrics
    assert (
        'signoff_http_requests_total{method="POST",route="/api/approvals",status="202"} 2.0'
        in metrics
    )


async def test_metrics_are_for_readers_and_for_this_machine(desk: Desk) -> None:
    key = await desk.key(Scope.RUNS_START)
    forwarded = {"x-forwarded-for": "203.0.113.7"}

    assert code(await key.get("/metrics")) == (403, "missing_scope")
    through_a_proxy = await desk.stranger.get("/metrics", headers=forwarded)
    assert code(through_a_proxy) == (401, "not_signed_in")
    assert (await desk.stranger.get("/metrics")).status_code == 200


async def test_health_says_what_works(desk: Desk, channels: dict[str, Quiet]) -> None:
    channels["email"] = Quiet("email")
    channels["slack"] = Quiet("slack", is_well=False)

    health = await desk.stranger.get("/healthz")
    ready = [await desk.stranger.get("/readyz") for _ in range(3)]

    assert health.json() == {"status": "ok"}
    assert ready[-1].json() == {
        "ready": True,
        "database": "ok",
        "channels": {"email": "ok", "slack": "failing"},
    }
    assert channels["slack"].asked == 1


async def test_whoever_runs_it_reads_what_older_secrets_are_needed_for(desk: Desk) -> None:
    dana = await desk.person(DANA)
    await desk.application.database.write(rotating.take_up)

    alone = (await dana.get("/api/secret")).json()
    resealed = await dana.post("/api/secret/reseal", {})

    assert alone == resealed.json()
    assert alone["since"] == "2026-01-15T12:00:00.000000Z"
    assert (alone["accepted"], alone["needed"], alone["sessions"]) == (0, False, 0)
    assert alone["people_keys"] == {"first": 0, "older": 0, "unreadable": 0}
