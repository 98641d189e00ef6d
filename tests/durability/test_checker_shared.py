"""On PostgreSQL the checker finds the same: each planted violation, and nothing in what is sound."""

from collections.abc import Generator
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection, create_engine, delete

from bot.chaos.checker.pages import opened_book, shared_book
from bot.chaos.checker.violations import Evidence, violations
from engine.store.carrying import carry
from engine.store.database import Transaction
from engine.store.postgres import Surroundings, Width, opened_on
from engine.store.tables import meta
from tests.durability.scene import Scene
from tests.durability.test_checker import PLANTED, given_three
from tests.fixtures import Postgres

pytestmark = [pytest.mark.anyio, pytest.mark.postgres, pytest.mark.slow]

# What SQLite spells with numbers, and PostgreSQL with words.
SPELLINGS = {
    "X'00', 0)": "'\\x00', to_timestamp(0))",
    "identified_by, 0, 1, at": "identified_by, false, true, at",
    "identified_by, 1, 0, at": "identified_by, true, false, at",
    "is_current = 0": "is_current = false",
    "is_active = 0": "is_active = false",
    "lease_expires_at = 1": "lease_expires_at = to_timestamp(1)",
    "due_at + 1": "due_at + interval '1 microsecond'",
}


@pytest.fixture
def carried(postgres: Postgres) -> Generator[str]:
    """The name of an empty database to which a file is carried, and from which others are copied."""
    name = postgres.server.make(postgres.template)
    yield name
    postgres.server.ask(f"DROP DATABASE {name} WITH (FORCE)")


async def carry_over(scene: Scene, url: str) -> None:
    around = Surroundings(ids=scene.ids, tokens=scene.tokens, clock=scene.clock)
    source = create_engine(f"sqlite:///{scene.database.path}")
    async with opened_on(url, around, width=Width(writers=1, readers=1)) as target:
        with source.connect() as connection:
            await target.write(lambda tx: carried_rows(connection, tx))
    source.dispose()


def carried_rows(source: Connection, tx: Transaction) -> None:
    tx.connection.execute(delete(meta))  # what a fresh database knows of itself
    carry(source, tx.connection)


@contextmanager
def copied(postgres: Postgres, carried: str) -> Generator[str]:
    name = postgres.server.make(carried)
    yield name
    postgres.server.ask(f"DROP DATABASE {name} WITH (FORCE)")


def spelled(statement: str) -> str:
    for one, other in SPELLINGS.items():
        statement = statement.replace(one, other)
    # As somebody would who stands above the constraints.
    return f"SET session_replication_role = replica; {statement}"


async def found(postgres: Postgres, name: str, evidence: Evidence) -> list[str]:
    return violations(await shared_book(postgres.server.url(name)), evidence)


async def test_both_databases_are_read_to_the_same_rows(
    scene: Scene, postgres: Postgres, carried: str
) -> None:
    await given_three(scene)

    await carry_over(scene, postgres.server.url(carried))

    file = opened_book(scene.database.path)
    shared = await shared_book(postgres.server.url(carried))
    tables = {"runs", "journal", "approvals", "votes", "timers", "outbox"}
    assert {name: len(shared[name]) for name in tables} == {
        name: len(file[name]) for name in tables
    }
    assert shared.journals == file.journals
    assert await found(postgres, carried, scene.evidence()) == []


async def test_what_is_planted_in_postgresql_is_found(
    scene: Scene, postgres: Postgres, carried: str
) -> None:
    names = await given_three(scene)
    await carry_over(scene, postgres.server.url(carried))
    missed: dict[str, list[str]] = {}

    for planted, told in PLANTED.items():
        statement, sentence = (text.format(**names) for text in told)
        with copied(postgres, carried) as name:
            postgres.server.ask(spelled(statement), database=name)
            lines = await found(postgres, name, scene.evidence())
        if not any(line.startswith(sentence) for line in lines):
            missed[planted] = lines

    assert missed == {}
