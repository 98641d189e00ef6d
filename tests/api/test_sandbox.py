"""A run in a sandbox over HTTP: refused where it makes no sense, else shown as what it is."""

import pytest

from tests.api.desk import Desk, code

pytestmark = pytest.mark.anyio

START = {"workflow": "tests.pay", "input": {"order": "17"}}


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"sandbox": True, "budget": {"usd": "1.00"}}, "bad_sandbox"),
        ({"sandbox": {}, "budget": {"usd": "1.00"}}, "bad_sandbox"),
        ({"sandbox": ["pay"]}, "invalid_request"),
    ],
)
async def test_what_is_no_sandbox_starts_nothing(
    desk: Desk, more: dict[str, object], expected: str
) -> None:
    key = await desk.key()

    assert code(await key.post("/api/runs", {**START, **more})) == (422, expected)
    assert (await key.get("/api/runs")).json()["runs"] == []


async def test_it_is_started_shown_and_listed_as_what_it_is(desk: Desk) -> None:
    key = await desk.key()
    answers = {"pay": "17 x 2"}

    real = (await key.post("/api/runs", {**START, "sandbox": False})).json()
    begun = (await key.post("/api/runs", {**START, "sandbox": answers})).json()

    listed = (await key.get("/api/runs")).json()["runs"]
    first = (await key.get(f"/api/runs/{begun['id']}/journal")).json()["entries"][0]
    assert {each["id"]: each["sandbox"] for each in listed} == {
        real["id"]: False,
        begun["id"]: True,
    }
    assert (await key.get(f"/api/runs/{begun['id']}")).json()["sandbox"] is True
    assert first["data"]["sandbox"] == answers
