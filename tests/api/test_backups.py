"""Backups are made by whoever is at the server's own machine, and by nobody else, whatever key they have."""

from pathlib import Path

import pytest

from engine.services.keys import Scope
from tests.api.desk import DANA, Desk, code

pytestmark = pytest.mark.anyio


async def test_neither_keys_nor_operators_make_files_on_the_server(
    desk: Desk, tmp_path: Path
) -> None:
    body = {"to": str(tmp_path / "backup.db")}

    for caller in (await desk.person(DANA), await desk.key(*Scope)):
        assert code(await caller.post("/api/backups", body)) == (403, "only_here")

    assert not (tmp_path / "backup.db").exists()


@pytest.mark.parametrize("to", ["backup.db", "", "/tmp/a\0b"])
async def test_a_place_that_is_no_whole_path_is_refused(desk: Desk, to: str) -> None:
    refused = await desk.local.post("/api/backups", json={"to": to})

    assert code(refused)[0] == 422


async def test_the_answer_says_what_was_made(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "backup.db"

    made = await desk.local.post("/api/backups", json={"to": str(path)})

    assert (made.status_code, made.json()["path"]) == (201, str(path))
    assert made.json()["size"] == path.stat().st_size
