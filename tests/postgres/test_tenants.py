"""PostgreSQL itself keeps tenants apart: a deed that forgets to ask for one sees no other's rows."""

import asyncio
from collections.abc import AsyncGenerator, Generator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, select, text, update

from bot.databases import bring_up
from bot.doctor import examine
from bot.settings import Settings
from engine.errors import Invalid, Unavailable
from engine.ids import DEFAULT_TENANT, RunId, TenantId, WorkerId
from engine.services import configuration, deliveries, driving, keys, runs, tenants
from engine.services.keys import NewKey
from engine.store import notices
from engine.store.database import Transaction
from engine.store.leases import pin
from engine.store.notices import Notice
from engine.store.postgres import PostgresDatabase, Surroundings, opened_on
from engine.store.postgres_once import granted, over
from engine.store.row_security import SHARED, guarded_tables
from engine.store.runs import NewRun
from engine.store.tables import audit, journal, metadata, people
from engine.store.tables import keys as key_rows
from engine.store.together import BATCH_MAX
from tests.api.desk import ANA, COMPANY
from tests.fixtures import APP_ROLE, Postgres

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]

ACME = TenantId("acme")
KEY = "0123456789abcdef" * 4
CLAIMED_FOR = timedelta(minutes=1)


@pytest.fixture
def name(postgres: Postgres) -> Generator[str]:
    made = postgres.server.make(postgres.template)
    yield made
    postgres.server.ask(f"DROP DATABASE {made} WITH (FORCE)")


@pytest.fixture
def url(postgres: Postgres, name: str) -> str:
    return postgres.server.url(name, role=APP_ROLE)


@pytest.fixture
async def shared(url: str, surroundings: Surroundings) -> AsyncGenerator[PostgresDatabase]:
    """Both tenants with people, a key, a run and something to send, as the application's role has it."""
    async with opened_on(url, surroundings) as database:
        await database.write(planted)
        yield database


def planted(tx: Transaction) -> None:
    tenants.create(tx, ACME, name="Acme", by="tests")
    for tenant in (DEFAULT_TENANT, ACME):
        tx.act_for(tenant)
        configuration.apply(tx, tenant, COMPANY)
        keys.create(tx, tenant, NewKey(name=f"canary {tenant}", scopes=["read"]), by="tests")
        runs.start(tx, run_of(tenant, RunId(f"run_{tenant}")))
        told(tx, tenant)


def run_of(tenant: TenantId, run: RunId) -> NewRun:
    return NewRun(
        id=run, tenant=tenant, workflow="greet", version="1", input={}, started_by="local"
    )


def told(tx: Transaction, tenant: TenantId) -> None:
    notices.tell_person(
        tx, tenant, ANA, Notice(event="canary", title=tenant, text=tenant, path="/")
    )


async def test_every_table_with_a_tenant_is_guarded(postgres: Postgres, name: str) -> None:
    def look(connection: Connection) -> tuple[list[str], list[str]]:
        forced = text("SELECT relname FROM pg_class WHERE relforcerowsecurity ORDER BY relname")
        return guarded_tables(connection), [row[0] for row in connection.execute(forced)]

    guarded, forced = await over(postgres.server.url(name), look)

    assert guarded == forced == sorted(metadata.tables.keys() - SHARED)


async def test_a_query_without_a_tenant_sees_its_deeds_own_alone(shared: PostgresDatabase) -> None:
    def seen(tx: Transaction) -> set[str]:
        guarded = [table for table in metadata.sorted_tables if "tenant" in table.c]
        return {
            row.tenant for table in guarded for row in tx.connection.execute(select(table.c.tenant))
        }

    assert await shared.read(seen) == set()
    assert await shared.of(ACME).read(seen) == {ACME}
    assert await shared.of(DEFAULT_TENANT).read(seen) == {DEFAULT_TENANT}


async def test_a_change_without_a_tenant_changes_its_deeds_own_alone(
    shared: PostgresDatabase,
) -> None:
    changed = await shared.of(ACME).write(
        lambda tx: tx.connection.execute(update(key_rows).values(name="changed")).rowcount
    )

    left = await shared.of(DEFAULT_TENANT).read(lambda tx: keys.listing(tx, DEFAULT_TENANT))
    assert (changed, [key.name for key in left]) == (1, ["canary default"])


async def test_a_row_for_another_tenant_is_not_taken(shared: PostgresDatabase) -> None:
    with pytest.raises(Unavailable, match="row-level security"):
        await shared.of(ACME).write(lambda tx: runs.start(tx, run_of(DEFAULT_TENANT, RunId("x"))))


async def test_a_deed_sees_nothing_of_whom_another_in_its_transaction_acted_for(
    shared: PostgresDatabase,
) -> None:
    def count(tx: Transaction) -> int:
        return len(tx.connection.execute(select(people.c.id)).all())

    ours = shared.of(ACME)

    seen = await asyncio.gather(
        *(database.write(count) for _ in range(3 * BATCH_MAX) for database in (ours, shared))
    )

    assert all(seen[::2])
    assert not any(seen[1::2])


async def test_the_application_cannot_ask_for_everybody(shared: PostgresDatabase) -> None:
    def greedy(tx: Transaction) -> int:
        tx.act_for(TenantId("*"))
        return len(tx.connection.execute(select(key_rows)).all())

    assert await shared.read(greedy) == 0


@pytest.mark.parametrize(
    "statement",
    [
        *(f"{verb} {table}" for table in (journal, audit) for verb in ("DELETE FROM", "TRUNCATE")),
        *(f"UPDATE {table} SET data = ''" for table in (journal, audit)),
        "CREATE TABLE mine (id int)",
        "ALTER TABLE keys DISABLE ROW LEVEL SECURITY",
        "DROP TABLE votes",
    ],
)
async def test_the_application_changes_no_table_and_nothing_appended(
    shared: PostgresDatabase, statement: str
) -> None:
    with pytest.raises(Unavailable, match="may not do that"):
        await shared.of(ACME).write(lambda tx: tx.connection.execute(text(statement)))


async def claimed(database: PostgresDatabase) -> list[tuple[str, str]]:
    claims = await database.write(
        lambda tx: driving.claim(
            tx, worker=WorkerId("w"), workflows=[pin("greet", "1")], lease_for=CLAIMED_FOR, limit=9
        )
    )
    return sorted((each.run.id, each.run.tenant) for each in claims)


async def test_workers_take_up_everybodys_runs(shared: PostgresDatabase) -> None:
    assert await claimed(shared) == [("run_acme", "acme"), ("run_default", "default")]


async def test_a_tenant_at_rest_is_not_driven_and_goes_on_afterwards(
    shared: PostgresDatabase,
) -> None:
    await shared.write(lambda tx: tenants.deactivate(tx, ACME, by="tests"))
    resting = await claimed(shared)
    await shared.write(lambda tx: tenants.activate(tx, ACME, by="tests"))

    assert (resting, await claimed(shared)) == (
        [("run_default", "default")],
        [("run_acme", "acme")],
    )


async def test_many_messages_of_one_tenant_hold_up_nobody_elses(shared: PostgresDatabase) -> None:
    def many(tx: Transaction) -> None:
        for _ in range(200):
            told(tx, DEFAULT_TENANT)

    await shared.of(DEFAULT_TENANT).write(many)
    await shared.of(ACME).write(lambda tx: told(tx, ACME))

    taken = await shared.write(
        lambda tx: deliveries.claim(tx, "email", limit=8, lease_for=CLAIMED_FOR)
    )

    assert [each.tenant for each in taken].count(ACME) == 2
    assert len({each.id for each in taken}) == 8


async def test_the_owner_lets_a_role_in(postgres: Postgres, name: str, tmp_path: Path) -> None:
    settings = Settings(
        database_url=postgres.server.url(name), secret_key=KEY, config=tmp_path / "signoff.toml"
    )

    await asyncio.to_thread(lambda: bring_up(settings, app_role=APP_ROLE))
    with pytest.raises(Unavailable):
        await granted(settings.database_url, "nobody_of_that_name")


def test_a_file_has_no_roles(tmp_path: Path) -> None:
    settings = Settings(database_url=f"sqlite:///{tmp_path / 'signoff.db'}")

    with pytest.raises(Invalid, match="no roles"):
        bring_up(settings, app_role="app")


async def test_doctor_says_how_far_tenants_are_kept_apart(
    postgres: Postgres, name: str, url: str, shared: PostgresDatabase, tmp_path: Path
) -> None:
    def said(at: str) -> str:
        config = tmp_path / "signoff.toml"
        settings = Settings(database_url=at, secret_key=KEY, config=config)
        return " ".join(each.text for each in examine(settings, env_file=None))

    assert "keeps tenants apart: this role sees one" in await asyncio.to_thread(said, url)
    above = await asyncio.to_thread(said, postgres.server.url(name))
    assert "only Signoff's own queries keep its tenants apart" in above
