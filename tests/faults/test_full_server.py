"""The disk of PostgreSQL is full: it is told as that, nothing acknowledged is lost, and all goes on with room."""

import os
from pathlib import Path

import pytest

from engine.errors import EngineError
from engine.store.database import Database
from engine.store.postgres import Surroundings, Width, opened_on
from tests.faults.disks import small_disk
from tests.faults.rows import MEGABYTE, Row, kept
from tests.fixtures import Postgres
from tests.postgres.server import NOBODY

pytestmark = [pytest.mark.anyio, pytest.mark.postgres, pytest.mark.slow]

SPACE = "small_space"


async def told(database: Database, key: str) -> str:
    try:
        await database.write(Row(key, MEGABYTE))
    except EngineError as error:
        return error.code
    return "kept"


async def test_a_full_disk_is_told_loses_nothing_and_takes_work_again_once_there_is_room(
    postgres: Postgres, url: str, surroundings: Surroundings
) -> None:
    name = url.partition("@/")[2].partition("?")[0]
    folder = postgres.server.folder / "space"
    with small_disk(folder, megabytes=8) as disk:
        _give(folder)
        postgres.server.ask(f"CREATE TABLESPACE {SPACE} LOCATION '{folder}'")
        postgres.server.ask(f"ALTER TABLE meta SET TABLESPACE {SPACE}", name)
        postgres.server.ask("ALTER TABLE meta ALTER COLUMN value SET STORAGE EXTERNAL", name)
        async with opened_on(url, surroundings, width=Width(writers=2, readers=1)) as database:
            answers = {"k0": await told(database, "k0")}
            disk.fill()
            answers |= {f"k{number}": await told(database, f"k{number}") for number in (1, 2)}
            disk.make_room()
            answers["k3"] = await told(database, "k3")
            found = await database.read(kept)
        postgres.server.ask(f"DROP DATABASE {name} WITH (FORCE)")
        postgres.server.ask(f"DROP TABLESPACE {SPACE}")
        postgres.server.ask(f"CREATE DATABASE {name}")  # for whoever clears up after us

    assert answers == {"k0": "kept", "k1": "store_full", "k2": "store_full", "k3": "kept"}
    assert found == ["k0", "k3"]


def _give(folder: Path) -> None:
    if os.geteuid() == 0:
        os.chown(folder, NOBODY, NOBODY)
