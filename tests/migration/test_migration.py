"""A fresh database and a migrated one are the same, and a newer one is left alone."""

import re
import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from engine.errors import Unavailable
from engine.store.migrations import HEAD, migrate, revision, upgrade
from engine.store.tables import metadata


@pytest.fixture(scope="module")
def chained_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database that went through every migration."""
    path = tmp_path_factory.mktemp("chain") / "signoff.db"
    upgrade(url=f"sqlite:///{path}")
    return path


def shape(path: Path) -> list[tuple[str, list[str]]]:
    """Every table and index with the lines of its definition: a column that was added stands last."""
    with sqlite3.connect(path) as connection:
        rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
        return sorted((name, _lines(sql)) for name, sql in rows)


def rows(path: Path) -> dict[str, list[object]]:
    """What stands in the tables that are not empty."""
    with sqlite3.connect(path) as connection:
        tables = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table'"
        ).fetchall()
        every = {
            name: connection.execute(f'SELECT * FROM "{name}"').fetchall() for (name,) in tables
        }
    return {name: found for name, found in every.items() if found}


def _lines(sql: str) -> list[str]:
    bare = sql.replace('"', "")  # a table that was made anew has its name in quotes
    pieces = re.split(r",\s(?![^(]*\))", " ".join(bare.replace("(", "( ", 1).split()))
    return sorted(piece.strip(" )") for piece in pieces)


def newer(path: Path, *, oldest: str) -> None:
    """A file of a version to come, on which code as old as `oldest` may work."""
    migrate(f"sqlite:///{path}")
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.execute("UPDATE meta SET value = ? WHERE key = 'oldest_schema'", (oldest,))
    connection.close()


def test_a_newer_schema_that_only_adds_is_used_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "newer.db"
    newer(path, oldest=HEAD)
    before = shape(path)

    migrate(f"sqlite:///{path}")

    assert shape(path) == before


def test_a_newer_schema_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "newer.db"
    newer(path, oldest="9999")

    with pytest.raises(Unavailable, match=r"schema 9999; this Signoff knows .* Install the newer"):
        migrate(f"sqlite:///{path}")


def test_migrating_twice_changes_nothing(migrated_file: Path) -> None:
    before = shape(migrated_file)

    migrate(f"sqlite:///{migrated_file}")

    assert shape(migrated_file) == before


def test_fresh_equals_migrated(migrated_file: Path, chained_file: Path) -> None:
    assert shape(migrated_file) == shape(chained_file)
    assert rows(migrated_file) == rows(chained_file)


# Of an index over an expression SQLite's dialect reads nothing; `test_fresh_equals_migrated` compares its words.
@pytest.mark.filterwarnings("ignore:.*expression-based index")
def test_nothing_is_left_to_migrate(chained_file: Path) -> None:
    database = create_engine(f"sqlite:///{chained_file}")
    with database.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        differences = compare_metadata(context, metadata)
        found = revision(connection)
    database.dispose()

    assert (differences, found) == ([], HEAD)
