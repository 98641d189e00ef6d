"""Kill switches, pauses and kills over HTTP: refused first, then for operators."""

from dataclasses import replace
from typing import Any

import pytest

from engine.services.keys import Scope
from tests.api.desk import ANA, ASKED, COMPANY, DANA, Desk, Known, code, given_company

pytestmark = pytest.mark.anyio

WHY = {"reason": "It runs wild."}


async def given_run(desk: Desk) -> tuple[str, str]:
    """A run that waits for people, and its approval."""
    asked = (await (await desk.key()).post("/api/approvals", ASKED)).json()
    return asked["run"], asked["id"]


async def turn(caller: Known, action: str, scope: str) -> tuple[int, Any]:
    answer = await caller.post("/api/kill-switch", {**WHY, "action": action, "scope": scope})
    return answer.status_code, answer.json()


@pytest.mark.parametrize(
    ("action", "scope", "expected"),
    [
        ("engage", "all", (422, "bad_scope")),
        ("engage", "run:run_nowhere", (404, "not_found")),
        ("release", "tenant", (409, "not_engaged")),
        ("flip", "tenant", (422, "invalid_request")),
    ],
)
async def test_a_switch_that_makes_no_sense_is_refused(
    desk: Desk, action: str, scope: str, expected: tuple[int, str]
) -> None:
    dana = await desk.person(DANA)

    refused = await dana.post("/api/kill-switch", {**WHY, "action": action, "scope": scope})

    assert code(refused) == expected


async def test_a_switch_needs_a_reason(desk: Desk) -> None:
    dana = await desk.person(DANA)

    refused = await dana.post("/api/kill-switch", {"action": "engage", "scope": "tenant"})

    assert code(refused) == (422, "invalid_request")


async def test_a_vote_below_a_switch_is_told_why(desk: Desk) -> None:
    run, approval = await given_run(desk)
    dana, ana = await desk.person(DANA), await desk.person(ANA)
    engaged = await turn(dana, "engage", f"run:{run}")

    seen = (await ana.get(f"/api/approvals/{approval}")).json()
    vote = {"choice": "approve", "digest": seen["digest"]}
    refused = await ana.post(f"/api/approvals/{approval}/votes", vote)

    assert engaged[0] == 200
    assert code(refused) == (409, "kill_switch")
    assert "vote again when it is released" in refused.json()["detail"]
    (switch,) = (await ana.get("/api/kill-switch")).json()["switches"]
    assert (switch["scope"], switch["engaged_by"]) == (f"run:{run}", "person:dana")
    assert await turn(dana, "release", f"run:{run}") == (
        200,
        {"scope": f"run:{run}", "engaged": False, "switch": None, "warning": None},
    )


async def test_a_key_does_not_release_what_stops_it(desk: Desk) -> None:
    key, dana = await desk.key(Scope.OPERATE), await desk.person(DANA)
    scope = f"agent:{(await desk.local.get('/api/keys')).json()['keys'][0]['id']}"
    await dana.post("/api/kill-switch", {**WHY, "action": "engage", "scope": scope})

    for name in (scope, "agent:agent"):
        refused = await key.post("/api/kill-switch", {**WHY, "action": "release", "scope": name})
        assert code(refused) == (403, "own_switch")

    [switch] = (await dana.get("/api/kill-switch")).json()["switches"]
    assert switch["scope"] == scope
    by_person = await dana.post("/api/kill-switch", {**WHY, "action": "release", "scope": scope})
    assert by_person.status_code == 200


async def test_nobody_releases_everything_alone(desk: Desk) -> None:
    dana, key = await desk.person(DANA), await desk.key(Scope.OPERATE)
    await turn(key, "engage", "everything")

    by_key = await key.post("/api/kill-switch", {**WHY, "action": "release", "scope": "everything"})
    first = await dana.post("/api/kill-switch", {**WHY, "action": "release", "scope": "everything"})
    again = await dana.post("/api/kill-switch", {**WHY, "action": "release", "scope": "everything"})

    assert code(by_key) == (403, "person_needed")
    assert first.json()["switch"]["release_asked_by"] == "person:dana"
    assert code(again) == (403, "second_person_needed")
    assert (await dana.get("/api/kill-switch")).json()["halted"] is True


async def test_whoever_stops_everything_is_told_where_nobody_could_release_it(desk: Desk) -> None:
    dana = await desk.person(DANA)

    alone = await turn(dana, "engage", "everything")
    less = await turn(dana, "engage", "tenant")
    two = replace(COMPANY, roles={"operator": frozenset({ANA, DANA})})
    await given_company(desk.application.database, two)
    together = await turn(dana, "engage", "everything")

    warnings = [answer["warning"] for _status, answer in (alone, less, together)]
    assert "takes two operators, and there is one: nobody can release it" in warnings[0]
    assert warnings[1:] == [None, None]


async def test_a_run_is_paused_resumed_and_killed_with_reasons(desk: Desk) -> None:
    run, _approval = await given_run(desk)
    dana = await desk.person(DANA)

    paused = await dana.post(f"/api/runs/{run}/pause", WHY)
    twice = await dana.post(f"/api/runs/{run}/pause", WHY)
    resumed = await dana.post(f"/api/runs/{run}/resume", WHY)
    killed = await dana.post(f"/api/runs/{run}/kill", WHY)
    again = await dana.post(f"/api/runs/{run}/kill", WHY)

    assert paused.json() == {"id": run, "status": "paused"}
    assert code(twice) == (409, "already_paused")
    assert resumed.json()["status"] == "waiting"
    assert killed.json() == {"id": run, "status": "killed", "stays": []}
    assert code(again) == (409, "run_ended")
    assert (await dana.get(f"/api/runs/{run}")).json()["error"]["message"] == WHY["reason"]


async def test_an_operator_stops_everything_in_the_browser(desk: Desk) -> None:
    cookie = await desk.cookie(DANA)
    secret = desk.application.tokens.hashed("csrf", cookie["cookie"].partition("=")[2])
    headers = {**cookie, "origin": desk.application.base_url, "accept": "text/html"}
    form = {"csrf": secret, "scope": "tenant", "reason": "Look first."}

    pressed = await desk.stranger.post("/kill-switch/engage", data=form, headers=headers)
    page = await desk.stranger.get("/kill-switch", headers=headers)
    stranger = await desk.stranger.get("/kill-switch", headers=await desk.cookie(ANA))
    wrong = {**form, "reason": " "}
    refused = await desk.stranger.post("/kill-switch/release", data=wrong, headers=headers)

    assert (pressed.status_code, stranger.status_code, refused.status_code) == (303, 403, 422)
    assert "Look first." in page.text
