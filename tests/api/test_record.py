"""The record over HTTP and on its page: listed, anchored, verified, taken away; by operators alone."""

import json

import pytest

from tests.api.desk import ANA, ASKED, DANA, Desk

pytestmark = pytest.mark.anyio


async def test_the_audit_is_a_page_for_operators_alone(desk: Desk) -> None:
    ana, dana = await desk.cookie(ANA), await desk.cookie(DANA)
    await (await desk.key()).post("/api/keys", {"name": "=1+1", "scopes": ["read"]})

    refused = [
        (await desk.stranger.get(path, headers=ana)).status_code
        for path in ("/audit", "/audit/verified", "/audit/export.csv", "/audit/export.jsonl")
    ]
    page = await desk.stranger.get("/audit?kind=key", headers=dana)
    verified = await desk.stranger.get("/audit/verified", headers=dana)
    table = await desk.stranger.get("/audit/export.csv", headers=dana)
    lines = await desk.stranger.get("/audit/export.jsonl", headers=dana)

    assert set(refused) == {403}
    assert "key.created" in page.text
    assert "sign_in" not in page.text
    assert "Everything is as it was written" in verified.text
    assert table.text.startswith("chain,position")
    assert json.loads(lines.text.splitlines()[-1]) == {"end": True}


async def test_anchors_are_made_listed_and_told_by_the_walk(desk: Desk) -> None:
    dana = await desk.person(DANA)
    await (await desk.key()).post("/api/approvals", ASKED)
    before = (await dana.get("/api/audit/verify")).json()

    made = (await dana.post("/api/audit/anchors", {})).json()["anchors"]
    again = (await dana.post("/api/audit/anchors", {})).json()["anchors"]

    after = (await dana.get("/api/audit/verify")).json()
    kept = (await dana.get("/api/audit/anchors")).json()["anchors"]
    public = (await dana.get("/api/audit/key")).json()["key"]
    assert before["unanchored"]["entries"] == before["entries"] > 0
    assert (after["is_whole"], after["unanchored"]["entries"]) == (True, 0)
    assert (made, again) == (kept, [])
    assert made[0]["statement"]["key"] == public


async def test_the_audit_is_listed_in_pages_by_kind(desk: Desk) -> None:
    dana = await desk.person(DANA)
    for number in range(3):
        await dana.post("/api/keys", {"name": f"key {number}", "scopes": ["read"]})

    first = (await dana.get("/api/audit?kind=key&limit=2")).json()
    rest = (await dana.get(f"/api/audit?kind=key&limit=2&cursor={first['next']}")).json()

    names = [each["data"]["name"] for each in (*first["entries"], *rest["entries"])]
    assert (names, rest["next"]) == (["key 2", "key 1", "key 0"], None)
