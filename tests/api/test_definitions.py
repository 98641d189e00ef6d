"""Operators add written workflows; everybody who may read sees them, and who may start runs starts them."""

import pytest

from engine.services.keys import Scope
from tests.api.desk import Desk, code

pytestmark = pytest.mark.anyio

DEFINITIONS = "/api/definitions"
SOURCE = """\
name: tidy
inputs: {days: {type: integer, default: 90}}
steps:
  - {name: mark, type: checkpoint, state: {days: "${inputs.days}"}}
"""


async def test_only_operators_add(desk: Desk) -> None:
    starter = await desk.key(Scope.RUNS_START, Scope.READ)

    assert code(await starter.post(DEFINITIONS, {"source": SOURCE})) == (403, "missing_scope")
    assert (await starter.get(DEFINITIONS)).json() == {"definitions": []}


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (SOURCE.replace("checkpoint", "check"), "line 4, column 24: "),
        (SOURCE.replace("inputs.days", "inputs.day"), "line 4, column 50: "),
        ("a: &a [*a]", "line 1, column 8: "),
        ("name: tests.pay\n" + SOURCE.partition("\n")[2], "A workflow in code"),
        ("name: reconcile\n" + SOURCE.partition("\n")[2], "A workflow in code"),
        ("\x00", "line 1, column 1: This is no YAML"),
    ],
)
async def test_what_cannot_run_is_refused_and_not_kept(desk: Desk, source: str, told: str) -> None:
    key = await desk.key()

    answers = [
        await key.post(path, {"source": source}) for path in (DEFINITIONS, f"{DEFINITIONS}/check")
    ]

    assert {answer.status_code for answer in answers} == {422}
    assert all(answer.json()["detail"].startswith(told) for answer in answers)
    assert (await key.get(DEFINITIONS)).json() == {"definitions": []}


async def test_checking_keeps_nothing(desk: Desk) -> None:
    key = await desk.key()

    checked = await key.post(f"{DEFINITIONS}/check", {"source": SOURCE})

    assert checked.json()["name"] == "tidy"
    assert code(await key.get(f"{DEFINITIONS}/tidy")) == (404, "not_found")


async def test_what_was_added_is_listed_shown_and_started(desk: Desk) -> None:
    key = await desk.key()

    added = await key.post(DEFINITIONS, {"source": SOURCE})
    again = await key.post(DEFINITIONS, {"source": SOURCE + "# the same\n"})
    shown = await key.get(f"{DEFINITIONS}/tidy")
    begun = await key.post("/api/runs", {"workflow": "tidy", "input": {"days": 30}})
    wrong = await key.post("/api/runs", {"workflow": "tidy", "input": {"day": 30}})

    assert (added.status_code, added.headers["location"]) == (201, f"{DEFINITIONS}/tidy")
    assert (added.json()["is_new"], again.json()["is_new"]) == (True, False)
    assert shown.json()["source"] == SOURCE
    run = (await key.get(f"/api/runs/{begun.json()['id']}")).json()
    assert (run["workflow"], run["version"]) == ("tidy", added.json()["version"])
    assert code(wrong) == (422, "bad_input")


async def test_an_earlier_version_stays_to_be_looked_at(desk: Desk) -> None:
    key = await desk.key()
    first = (await key.post(DEFINITIONS, {"source": SOURCE})).json()["version"]
    await key.post(DEFINITIONS, {"source": SOURCE.replace("90", "60")})

    old = await key.get(f"{DEFINITIONS}/tidy?version={first}")
    new = await key.get(f"{DEFINITIONS}/tidy")

    assert "90" in old.json()["source"]
    assert "60" in new.json()["source"]


async def test_editors_are_given_a_schema(desk: Desk) -> None:
    schema = (await (await desk.key(Scope.READ)).get(f"{DEFINITIONS}/schema")).json()

    assert schema["required"] == ["name", "steps"]
    assert "TaskStep" in schema["$defs"]


async def test_operators_remove_what_no_run_goes_by_and_say_why(desk: Desk) -> None:
    key, reader = await desk.key(), await desk.key(Scope.READ)
    await key.post(DEFINITIONS, {"source": SOURCE})
    path = f"{DEFINITIONS}/tidy"

    refused = await reader.send("DELETE", f"{path}?reason=old")
    without = await key.send("DELETE", path)
    removed = await key.send("DELETE", f"{path}?reason=old")
    again = await key.send("DELETE", f"{path}?reason=old")

    assert code(refused) == (403, "missing_scope")
    assert without.status_code == 422
    assert (removed.status_code, removed.json()) == (200, {"name": "tidy", "versions": 1})
    assert code(again) == (404, "not_found")
    assert (await key.get(DEFINITIONS)).json() == {"definitions": []}
