"""Databases for crews: a file at the newest schema, and a PostgreSQL of one's own."""

import shutil
from collections.abc import Generator
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest

from tests.fixtures import Postgres
from tests.postgres.server import USER
from tests.workers import crew
from tests.workers.life import Place


@pytest.fixture(scope="session")
def nursery() -> ForkServerContext:
    return crew.nursery()


@pytest.fixture
def file(tmp_path: Path, migrated_file: Path) -> Place:
    path = tmp_path / "signoff.db"
    shutil.copyfile(migrated_file, path)
    return Place(where=str(path))


@pytest.fixture
def shared(postgres: Postgres) -> Generator[Place]:
    # As its owner, who may migrate it and sees every tenant's rows.
    with postgres.fresh(role=USER) as url:
        yield Place(where=url)
