"""A database whose schema is not ours, or not yet: told at the start in a sentence, and left as it is."""

import sqlite3
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest

from engine.clock import SystemClock
from engine.errors import Unavailable
from engine.ids import SystemIds
from engine.store.database import Database
from engine.store.postgres import Surroundings, opened_on
from engine.store.sqlite import opened
from engine.tokens import Tokens
from tests.faults.rows import keep, kept
from tests.fixtures import Postgres

pytestmark = pytest.mark.anyio

LOST = "DROP TABLE alembic_version"
# What was done to the database; the code, and what the sentence says to do next.
SCHEMAS = [
    pytest.param(
        "UPDATE alembic_version SET version_num = '9999';"
        "UPDATE meta SET value = '9999' WHERE key = 'oldest_schema'",
        ("schema_too_new", "Install the newer version"),
        id="newer",
    ),
    pytest.param(
        "UPDATE alembic_version SET version_num = '3f2a91c07b5d'",
        ("schema_unknown", "name another database"),
        id="another program's",
    ),
    pytest.param(
        "UPDATE alembic_version SET version_num = '0000'",
        ("schema_unknown", "name another database"),
        id="of no version",
    ),
    pytest.param("DELETE FROM alembic_version", ("schema_unknown", "restore a backup"), id="empty"),
    pytest.param(LOST, ("schema_unknown", "restore a backup"), id="lost"),
]


async def use(database: Database) -> list[str]:
    await database.write(keep("a"))
    return await database.read(kept)


async def start_file(path: Path, ids: SystemIds, tokens: Tokens) -> list[str]:
    async with opened(path, clock=SystemClock(), ids=ids, tokens=tokens) as database:
        return await use(database)


async def start_shared(url: str, surroundings: Surroundings) -> list[str]:
    async with opened_on(url, surroundings) as database:
        return await use(database)


@pytest.mark.parametrize(("done", "told"), SCHEMAS)
async def test_a_file_of_another_schema_is_refused_and_left_alone(
    file: Path, ids: SystemIds, tokens: Tokens, done: str, told: tuple[str, str]
) -> None:
    with closing(sqlite3.connect(file)) as hand:
        hand.executescript(done)
    before = sha256(file.read_bytes()).digest()

    with pytest.raises(Unavailable, match=told[1]) as refused:
        await start_file(file, ids, tokens)

    assert refused.value.code == told[0]
    assert sha256(file.read_bytes()).digest() == before


@pytest.mark.postgres
@pytest.mark.parametrize(("done", "told"), SCHEMAS)
async def test_a_postgresql_of_another_schema_is_refused_and_left_alone(
    postgres: Postgres, url: str, surroundings: Surroundings, done: str, told: tuple[str, str]
) -> None:
    name = url.partition("@/")[2].partition("?")[0]
    postgres.server.ask(done, name)

    with pytest.raises(Unavailable, match=told[1]) as refused:
        await start_shared(url, surroundings)

    assert refused.value.code == told[0]
    assert postgres.server.ask("SELECT count(*) FROM runs", name) == "0"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        pytest.param(b"Dear diary, " * 500, "file is not a database", id="no database"),
        pytest.param(b"SQLite format 3\x00" + bytes(4096), "", id="damaged"),
    ],
)
async def test_a_file_that_is_no_database_is_left_alone(
    tmp_path: Path, ids: SystemIds, tokens: Tokens, content: bytes, told: str
) -> None:
    path = tmp_path / "diary.db"
    path.write_bytes(content)

    with pytest.raises(Unavailable, match=f"{told}.*estore a backup") as refused:
        await start_file(path, ids, tokens)

    assert refused.value.code == "store_damaged"
    assert path.read_bytes() == content


async def test_an_empty_file_becomes_a_database(
    tmp_path: Path, ids: SystemIds, tokens: Tokens
) -> None:
    path = tmp_path / "empty.db"
    path.touch()

    assert await start_file(path, ids, tokens) == ["a"]


@pytest.mark.postgres
async def test_a_postgresql_of_somebody_elses_tables_is_left_alone(
    postgres: Postgres, surroundings: Surroundings
) -> None:
    name = postgres.server.make()
    postgres.server.ask("CREATE TABLE votes (party text)", name)

    with pytest.raises(Unavailable, match="another program's") as refused:
        await start_shared(postgres.server.url(name), surroundings)

    assert refused.value.code == "schema_unknown"
