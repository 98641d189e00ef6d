"""Erasing people over HTTP: refusals first, and nothing brings them back."""

from pathlib import Path

import pytest

from bot.erasures import ErasureFile
from engine.errors import Invalid
from engine.ids import DEFAULT_TENANT
from engine.services.erasing import Erased
from engine.services.keys import Scope
from tests.api.desk import ASKED, BO, CHEN, Desk, Known
from tests.clock import ManualClock
from tests.engine.stage import Stage

pytestmark = pytest.mark.anyio

WHY = {"reason": "They asked."}


async def rejected(desk: Desk) -> tuple[Known, str]:
    """An approval that Bo rejected with words of his own."""
    key = await desk.key()
    asked = (await key.post("/api/approvals", {**ASKED, "quorum": 3})).json()
    bo = await desk.person(BO)
    said = {"choice": "reject", "comment": "ask Ottilie", "version": 1}
    answer = await bo.post(f"/api/approvals/{asked['id']}/votes", said)
    assert answer.status_code == 200
    await Stage(desk.application.database, ManualClock()).worker().drain()
    return key, asked["id"]


@pytest.mark.parametrize(
    ("person", "body", "expected"),
    [
        ("bo", {}, (422, "invalid_request")),
        ("bo", {"reason": " "}, (422, "invalid_request")),
        ("nobody", WHY, (404, "not_found")),
        ("chen", WHY, (409, "still_needed")),
    ],
)
async def test_an_erasure_is_refused(
    desk: Desk, person: str, body: object, expected: tuple[int, str]
) -> None:
    key = await desk.key()
    await key.post("/api/approvals", ASKED)

    answer = await key.post(f"/api/people/{person}/erase", body)

    assert (answer.status_code, answer.json()["code"]) == expected


async def test_a_legal_hold_refuses_until_it_is_released(desk: Desk) -> None:
    key, _approval = await rejected(desk)
    held = {**WHY, "scope": "person:bo"}
    placed = await key.post("/api/holds", held)
    refused = await key.post("/api/people/bo/erase", WHY)
    listed = await key.get("/api/holds")
    released = await key.post("/api/holds/release", held)
    again = await key.post("/api/holds/release", held)

    assert (placed.status_code, placed.json()["scope"]) == (201, "person:bo")
    assert (refused.status_code, refused.json()["code"]) == (403, "legal_hold")
    assert [each["scope"] for each in listed.json()["holds"]] == ["person:bo"]
    assert (released.status_code, again.status_code) == (200, 404)


@pytest.mark.parametrize(
    ("scope", "status"), [("everything", 422), ("run:run_x", 404), ("person:nobody", 404)]
)
async def test_nothing_unknown_is_held(desk: Desk, scope: str, status: int) -> None:
    key = await desk.key()

    answer = await key.post("/api/holds", {**WHY, "scope": scope})

    assert answer.status_code == status


async def test_only_operators_erase_and_read_what_is_held(desk: Desk) -> None:
    chen, reader = await desk.person(CHEN), await desk.key(Scope.READ)

    answers = [await caller.get("/api/people/bo/data") for caller in (chen, reader)] + [
        await caller.post("/api/people/bo/erase", WHY) for caller in (chen, reader)
    ]

    assert {answer.status_code for answer in answers} == {403}


async def test_somebody_is_erased_and_everybody_reads_so(desk: Desk) -> None:
    key, approval = await rejected(desk)
    before = await key.get(f"/api/approvals/{approval}")
    run = before.json()["run"]

    done = await key.post("/api/people/bo/erase", WHY)
    again = await key.post("/api/people/bo/erase", WHY)

    assert before.json()["decision"]["comment"] == "ask Ottilie"
    assert (done.json()["is_new"], done.json()["compacted"]) == (True, True)
    assert len(done.json()["keys"]) == 1
    assert (again.json()["is_new"], again.json()["keys"]) == (False, [])
    for path in (f"/api/approvals/{approval}", f"/api/runs/{run}", f"/api/runs/{run}/journal"):
        text = (await key.get(path)).text
        assert "Ottilie" not in text
        assert "sealed:" not in text
        assert "[erased]" in text
    assert (await key.get("/api/audit/verify")).json()["is_whole"]


async def test_everything_held_on_somebody_is_read_part_by_part(desk: Desk) -> None:
    key, _approval = await rejected(desk)
    wrong = await key.get("/api/people/bo/data?cursor=nothing")
    rows: list[dict[str, object]] = []
    cursor: str | None = "person"
    while cursor is not None:
        page = (await key.get(f"/api/people/bo/data?cursor={cursor}")).json()
        rows += page["rows"]
        cursor = page["next"]

    assert (wrong.status_code, wrong.json()["code"]) == (422, "bad_cursor")
    assert rows[0]["name"] == "Bo Lind"
    assert [each["comment"] for each in rows if each["what"] == "vote"] == ["ask Ottilie"]


def test_a_file_of_erasures_that_cannot_be_read_is_no_empty_one(tmp_path: Path) -> None:
    file = ErasureFile(tmp_path / "erased")
    assert file.read() == []
    file.keep([Erased(DEFAULT_TENANT, BO)])
    file.keep([Erased(DEFAULT_TENANT, BO), Erased(DEFAULT_TENANT, CHEN)])
    assert file.read() == [Erased(DEFAULT_TENANT, BO), Erased(DEFAULT_TENANT, CHEN)]

    with file.path.open("a") as more:
        more.write('{"tenant": 1}\n')

    with pytest.raises(Invalid, match="says nothing of an erasure"):
        file.read()
