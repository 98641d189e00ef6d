"""The database of tests in which tenants must not reach each other, in both of its kinds."""

import shutil
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from engine.ids import SystemIds
from engine.store.database import Database
from engine.store.postgres import Surroundings, opened_on
from engine.store.sqlite import opened
from engine.tokens import Tokens
from tests.clock import ManualClock
from tests.fixtures import APP_ROLE, Postgres


@pytest.fixture(params=["file", pytest.param("guarded", marks=pytest.mark.postgres)])
async def database(
    request: pytest.FixtureRequest,
    clock: ManualClock,
    tokens: Tokens,
    migrated_file: Path,
    tmp_path: Path,
) -> AsyncGenerator[Database]:
    """A file, and PostgreSQL as the role to which it shows one tenant at a time."""
    if request.param == "guarded":
        made: Postgres = request.getfixturevalue("postgres")
        around = Surroundings(ids=SystemIds(), tokens=tokens, clock=clock)
        with made.fresh(role=APP_ROLE) as url:
            async with opened_on(url, around) as shared:
                yield shared
        return
    file = tmp_path / "signoff.db"
    shutil.copyfile(migrated_file, file)
    async with opened(file, clock=clock, ids=SystemIds(), tokens=tokens) as owned:
        yield owned
