"""The doctor looks at a database without touching it, and says what a start would say."""

import sqlite3
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest

from bot.doctor import examine
from bot.findings import Level
from bot.settings import Settings
from tests.fixtures import Postgres
from tests.postgres.test_roles import settings


def wrong(given: Settings) -> list[str]:
    """What would keep it from starting."""
    return [each.text for each in examine(given, env_file=None) if each.level is Level.ERROR]


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("UPDATE alembic_version SET version_num = '3f2a91c07b5d'", "another program's"),
        ("DROP TABLE alembic_version", "restore a backup"),
    ],
)
def test_a_file_of_another_schema_is_told_and_left_alone(
    file: Path, statement: str, says: str
) -> None:
    with closing(sqlite3.connect(file)) as hand:
        hand.execute(statement)
        hand.commit()
    before = sha256(file.read_bytes()).digest()

    told = wrong(Settings(database_url=f"sqlite:///{file}"))

    assert [says in each for each in told] == [True]
    assert sha256(file.read_bytes()).digest() == before


def test_a_file_that_is_no_database_is_told(file: Path) -> None:
    file.write_bytes(b"Dear diary, " * 500)

    told = wrong(Settings(database_url=f"sqlite:///{file}"))

    assert ["file is not a database" in each for each in told] == [True]


def test_a_good_file_is_well(file: Path) -> None:
    assert wrong(Settings(database_url=f"sqlite:///{file}")) == []


@pytest.mark.postgres
def test_a_postgresql_that_takes_no_writes_is_told(
    postgres: Postgres, url: str, tmp_path: Path
) -> None:
    name = url.partition("@/")[2].partition("?")[0]
    postgres.server.ask(f"ALTER DATABASE {name} SET default_transaction_read_only = on")

    told = wrong(settings(tmp_path, url))

    assert ["takes no writes" in each for each in told] == [True]
