"""The one chain of migrations leads to the same schema on PostgreSQL, however many start at once."""

import asyncio
import subprocess
from collections.abc import Callable
from typing import TypeVar

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from engine.errors import Unavailable
from engine.store.migrations import HEAD, revision
from engine.store.postgres_connecting import connecting
from engine.store.postgres_once import migrated
from engine.store.tables import metadata
from tests.fixtures import Postgres
from tests.postgres.server import USER

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]


T = TypeVar("T")


async def test_a_newer_schema_is_refused_and_left_alone(postgres: Postgres) -> None:
    with postgres.fresh(role=USER) as url:
        await over(url, newer(oldest="9999"))

        with pytest.raises(
            Unavailable, match=r"schema 9999; this Signoff knows .* Install the newer"
        ):
            await migrated(url)


async def test_a_newer_schema_that_only_adds_is_used_and_left_alone(postgres: Postgres) -> None:
    with postgres.fresh(role=USER) as url:
        await over(url, newer(oldest=HEAD))

        await migrated(url)

        assert await over(url, revision) == "9999"


def newer(*, oldest: str) -> Callable[[Connection], None]:
    """The schema of a version to come, on which code as old as `oldest` may work."""

    def deed(connection: Connection) -> None:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        connection.execute(
            text("UPDATE meta SET value = :oldest WHERE key = 'oldest_schema'"), {"oldest": oldest}
        )

    return deed


async def test_several_that_start_at_once_make_it_once(postgres: Postgres) -> None:
    name = postgres.server.make()

    await asyncio.gather(*(migrated(postgres.server.url(name)) for _ in range(4)))

    assert shape(postgres, name) == shape(postgres, postgres.template)


async def test_fresh_equals_migrated(postgres: Postgres) -> None:
    name = postgres.server.make()

    await over(postgres.server.url(name), metadata.create_all)

    assert shape(postgres, name) == shape(postgres, postgres.template)


async def test_nothing_is_left_to_migrate(postgres: Postgres) -> None:
    def differences(connection: Connection) -> tuple[object, str | None]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return compare_metadata(context, metadata), revision(connection)

    with postgres.fresh(role=USER) as url:
        found = await over(url, differences)

    assert found == ([], HEAD)


def shape(postgres: Postgres, name: str) -> list[str]:
    """Every definition, as `pg_dump` writes it, without the chain's own table."""
    server = postgres.server
    dump = (server.programs / "pg_dump", "-s", "-x", "-T", "alembic_version", "-h", server.folder)
    dumped = subprocess.run(
        [*dump, "-U", "postgres", "-d", name], capture_output=True, text=True, check=True
    )
    lines = dumped.stdout.splitlines()
    return sorted(line for line in lines if line and not line.startswith(("--", "\\")))


async def over(url: str, told: Callable[[Connection], T]) -> T:
    """What `told` finds over one connection, in a transaction of its own."""
    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=connecting(url, name="test"), poolclass=NullPool
    )
    async with engine.begin() as connection:
        answer = await connection.run_sync(told)
    await engine.dispose()
    return answer
