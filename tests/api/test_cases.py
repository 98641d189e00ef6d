"""The doors to cases: keys report, people resolve, and a restart forgets nothing."""

from typing import Any

import pytest

from engine.services.keys import Scope
from tests.api.desk import BO, DANA, Desk, Known, code

pytestmark = pytest.mark.anyio

CASE = {"title": "Did order 17 arrive?", "outcomes": ["yes", "no"], "collected": True}
YES = {"source": "carrier", "outcome": "yes"}


async def opened(key: Known, **changes: Any) -> str:
    made = await key.post("/api/cases", {**CASE, **changes})
    assert made.status_code == 201
    return f"/api/cases/{made.json()['id']}"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"title": ""}, "bad_title"),
        ({"outcomes": ["yes"]}, "bad_outcome"),
        ({"enough": 0.8}, "bad_enough"),
        ({"enough": "0.50"}, "bad_enough"),
        ({"sources": 1}, "bad_sources"),
        ({"sources": "2"}, "invalid_request"),
        ({"otherwise": "dice"}, "invalid_request"),
        ({"approvers": "group:nobody"}, "unknown_approver"),
        ({"approvers": "nobody"}, "bad_approver"),
        ({"surprise": 1}, "invalid_request"),
    ],
)
async def test_a_case_that_makes_no_sense_is_refused(
    desk: Desk, changes: dict[str, Any], expected: str
) -> None:
    key = await desk.key()

    assert code(await key.post("/api/cases", {**CASE, **changes})) == (422, expected)
    assert (await key.get("/api/cases")).json() == {"cases": [], "next": None}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"source": " "}, "missing_signal_source"),
        ({"outcome": " "}, "missing_outcome"),
        ({"outcome": "perhaps"}, "unknown_outcome"),
        ({"confidence": 0.9}, "bad_confidence"),
        ({"meta": []}, "invalid_request"),
        ({"surprise": 1}, "invalid_request"),
    ],
)
async def test_a_signal_that_makes_no_sense_is_refused(
    desk: Desk, changes: dict[str, Any], expected: str
) -> None:
    key = await desk.key()
    case = await opened(key)

    assert code(await key.post(f"{case}/signals", {**YES, **changes})) == (422, expected)
    assert (await key.get(case)).json()["status"] == "open"


async def test_each_door_has_its_scope_and_no_key_resolves(desk: Desk) -> None:
    case = await opened(await desk.key(Scope.APPROVALS_ASK))
    signals, operates = await desk.key(Scope.SIGNALS), await desk.key()
    resolution = {"outcome": "yes", "reason": "I looked."}

    refused = [
        await signals.post("/api/cases", CASE),
        await (await desk.key(Scope.READ)).post(f"{case}/signals", YES),
        await signals.post(f"{case}/resolve", resolution),
        await (await desk.person(BO)).post(f"{case}/resolve", resolution),
        await (await desk.person(BO)).post(f"{case}/close", {"reason": "I looked."}),
        await operates.post(f"{case}/resolve", resolution),
    ]
    closed = await operates.post(f"{case}/close", {"reason": "I looked."})

    assert [code(each) for each in refused] == [(403, "missing_scope")] * 5 + [(403, "people_only")]
    assert (closed.status_code, closed.json()["status"]) == (200, "closed")


async def test_two_that_agree_make_it_final_and_what_comes_after_is_late(desk: Desk) -> None:
    key = await desk.key()
    case = await opened(key)

    first = await key.post(f"{case}/signals", {**YES, "id": "e1", "confidence": "0.9"})
    again = await key.post(f"{case}/signals", {**YES, "id": "e1", "confidence": "0.9"})
    other = await key.post(f"{case}/signals", {**YES, "id": "e1"})
    last = await key.post(f"{case}/signals", {"source": "customer", "outcome": "yes"})
    late = await key.post(f"{case}/signals", {"source": "customer", "outcome": "no"})

    assert [(each.status_code, each.json()["reason"]) for each in (first, again, last, late)] == [
        (201, "counted"),
        (200, "repeated"),
        (201, "counted"),
        (200, "late"),
    ]
    assert code(other) == (409, "signal_conflict")
    seen = (await key.get(case)).json()
    assert (seen["status"], seen["outcome"]) == ("final", "yes")
    assert seen["standing"] == {
        "state": "reached",
        "heard": 2,
        "leading": "yes",
        "agreement": "0.95",
        "tally": [{"outcome": "yes", "sources": ["carrier", "customer"], "agreement": "0.95"}],
    }


async def test_people_see_the_question_and_an_operator_may_resolve(desk: Desk) -> None:
    key, dana = await desk.key(), await desk.person(DANA)
    case = await opened(key, approvers="group:finance")
    early = await dana.post(f"{case}/resolve", {"outcome": "no", "reason": "I looked."})
    await key.post(f"{case}/signals", YES)
    disputed = (await key.post(f"{case}/signals", {"source": "customer", "outcome": "no"})).json()
    asked = disputed["case"]["question"]["approval"]

    question = (await dana.get(f"/api/approvals/{asked}")).json()
    resolved = await dana.post(f"{case}/resolve", {"outcome": "no", "reason": "I looked."})
    other = await dana.post(f"{case}/resolve", {"outcome": "yes", "reason": "I looked."})

    assert (code(early), code(other)) == ((409, "nothing_reported"), (409, "already_final"))
    assert question["title"] == "Which outcome holds: Did order 17 arrive?"
    assert question["details"]["possible"] == ["yes", "no"]
    assert question["fields"] == ["outcome"]
    decision = resolved.json()["decision"]
    assert (decision["decided_by"], decision["who"]) == ("operator", ["person:dana"])
    after = (await dana.get(f"/api/approvals/{asked}")).json()
    assert after["status"] == "cancelled"


async def test_the_same_idempotency_key_opens_one_case(desk: Desk) -> None:
    key = await desk.key()

    made = [await key.post("/api/cases", CASE, idempotency_key="order-17") for _ in range(2)]
    other = await key.post("/api/cases", {**CASE, "title": "x"}, idempotency_key="order-17")

    assert made[0].json() == made[1].json()
    assert code(other) == (409, "idempotency_conflict")
    assert len((await key.get("/api/cases")).json()["cases"]) == 1


async def test_cases_are_listed_in_pages_and_by_state(desk: Desk) -> None:
    key = await desk.key()
    made = [await opened(key, title=f"Case {number}") for number in range(3)]
    await key.post(f"{made[0]}/signals", YES)

    first = (await key.get("/api/cases?limit=2")).json()
    rest = (await key.get(f"/api/cases?limit=2&cursor={first['next']}")).json()
    provisional = (await key.get("/api/cases?status=resolved_provisional")).json()

    assert [each["title"] for each in first["cases"]] == ["Case 2", "Case 1"]
    assert ([each["title"] for each in rest["cases"]], rest["next"]) == (["Case 0"], None)
    assert [each["title"] for each in provisional["cases"]] == ["Case 0"]
    assert code(await key.get("/api/cases/cas_none")) == (404, "not_found")


async def test_an_effect_waits_for_the_outcome_and_settles_the_case(desk: Desk) -> None:
    key = await desk.key()
    case = await opened(key)
    name = case.rpartition("/")[2]
    claim = {"request_id": "order-17", "action": "refund", "requires": name, "outcome": "yes"}

    unsaid = await key.post("/api/receipts", {**claim, "outcome": None})
    early = (await key.post("/api/receipts", claim)).json()
    for source in ("carrier", "customer"):
        await key.post(f"{case}/signals", {"source": source, "outcome": "yes"})
    granted = (await key.post("/api/receipts", claim)).json()
    receipt = granted["receipt"]["execution_id"]
    ended = {"outcome": "succeeded", "token": granted["token"]}
    await key.post(f"/api/receipts/{receipt}/settle", ended)

    assert code(unsaid) == (422, "bad_requires")
    assert early["receipt"]["reason"] == "blocked:open"
    assert (granted["granted"], granted["receipt"]["settles"]) == (True, name)
    seen = (await key.get(case)).json()
    assert (seen["status"], seen["settlement"]) == ("settled", receipt)
