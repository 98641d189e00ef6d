"""A file moves to PostgreSQL whole: whoever waits, votes, is signed in or holds a link notices nothing."""

import asyncio
import sqlite3
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.chaos.checker.book import Row
from bot.chaos.checker.pages import opened_book, shared_book
from bot.moving import Told, move
from bot.restoring import restore, undo_move
from bot.settings import Settings
from bot.wiring import Running, running
from engine.errors import FileOwned, Invalid, Refused, Unavailable
from engine.ids import DEFAULT_TENANT, ApprovalId, PersonId, RunId, SystemIds
from engine.rules.states import RunStatus
from engine.rules.tally import Choice
from engine.services import keys, links, runs, sign_ins, votes
from engine.services.keys import NewKey, Scope
from engine.services.runs import RunPicture
from engine.services.votes import Ballot
from engine.store import links as link_rows
from engine.store.database import Transaction
from engine.store.meta import MOVED_TO
from engine.store.postgres_once import migrated
from engine.store.runs import NewRun
from signoff.registry import registered
from tests.cli.ground import CONFIGURATION
from tests.engine.flows import LEDGER
from tests.fixtures import APP_ROLE, Postgres
from tests.triggers import TAKEN_AWAY

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]

KEY = "0123456789abcdef" * 4
ANA, BO = PersonId("ana"), PersonId("bo")


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What somebody holds when the file is moved."""

    paid: RunId
    marked: RunId
    key: str
    session: str
    link: str


@dataclass(frozen=True)
class House:
    """A folder with a file, and an empty PostgreSQL to which it may move."""

    folder: Path
    url: str

    @property
    def file(self) -> Path:
        return self.folder / "signoff.db"

    def settings(self, *, is_moved: bool = False) -> Settings:
        config = self.folder / "signoff.toml"
        config.write_text(CONFIGURATION, encoding="utf-8")
        where = self.url if is_moved else f"sqlite:///{self.file}"
        return Settings(database_url=where, secret_key=KEY, config=config)

    @asynccontextmanager
    async def open(self, *, is_moved: bool = False) -> AsyncGenerator[Running]:
        authored = dict(registered())
        async with running(self.settings(is_moved=is_moved), authored=authored) as it:
            yield it

    async def moved(self) -> Told:
        return await move(self.settings(), self.url)


@pytest.fixture
def house(tmp_path: Path, postgres: Postgres) -> House:
    LEDGER.clear()
    return House(tmp_path, postgres.server.url(postgres.server.make()))


async def started(it: Running, workflow: str, **given: object) -> RunId:
    run = RunId(SystemIds().new("run"))
    new = NewRun(
        id=run,
        tenant=DEFAULT_TENANT,
        workflow=workflow,
        version="1",
        input=given,
        started_by="local",
    )
    await it.application.database.write(lambda tx: runs.start(tx, new))
    await it.worker.drain()
    return run


async def picture(it: Running, run: RunId) -> RunPicture:
    return await it.application.database.read(lambda tx: runs.picture(tx, DEFAULT_TENANT, run))


async def agreed(it: Running, run: RunId, person: PersonId) -> None:
    approval = (await picture(it, run)).approvals[-1].id
    ballot = Ballot(
        tenant=DEFAULT_TENANT, approval=approval, person=person, choice=Choice.APPROVE,
        channel="web", identified_by="session",
    )  # fmt: skip
    await it.application.database.write(lambda tx: votes.cast(tx, ballot))
    await it.worker.drain()


def differences(tx: Transaction, kept: Kept) -> list[str]:
    return [
        sentence
        for run in (kept.paid, kept.marked)
        for sentence in runs.verify(tx, DEFAULT_TENANT, run)
    ]


async def given_life(it: Running) -> Kept:
    """A payment that ana agreed to and bo has not, a checkpoint, a key, a session and a link."""
    paid, marked = await started(it, "paid-refund"), await started(it, "marked")
    await agreed(it, paid, ANA)
    approval = ApprovalId((await picture(it, paid)).approvals[-1].id)

    def given(tx: Transaction) -> tuple[str, str]:
        new = NewKey(name="agent", scopes=frozenset({Scope.READ}))
        _row, key = keys.create(tx, DEFAULT_TENANT, new, by="local")
        link_rows.mint(tx, DEFAULT_TENANT, approval=approval, version=1, person=BO, serial=1)
        asked = sign_ins.first_operator_link(tx, DEFAULT_TENANT)
        session = None if asked is None else sign_ins.confirm(tx, asked.token)
        return key, "" if session is None else session.token

    key, session = await it.application.database.write(given)
    link = it.application.tokens.respond(approval=approval, version=1, person=BO, serial=1)
    return Kept(paid=paid, marked=marked, key=key, session=session, link=link)


async def test_a_file_that_is_in_use_stays(house: House) -> None:
    async with house.open():
        with pytest.raises(FileOwned, match="Stop the server first"):
            await house.moved()


async def test_a_database_that_is_not_empty_is_left_alone(house: House) -> None:
    async with house.open():
        pass
    async with house.open(is_moved=True):
        pass
    before = await shared_book(house.url)

    with pytest.raises(Refused, match="not empty: a Signoff has begun there"):
        await house.moved()

    assert (await shared_book(house.url)).tables == before.tables
    async with house.open():
        pass


async def test_a_database_of_others_is_left_alone(house: House, postgres: Postgres) -> None:
    async with house.open():
        pass
    name = house.url.partition("/test")[2].partition("?")[0]
    postgres.server.ask("CREATE TABLE theirs (a int)", f"test{name}")

    with pytest.raises(Refused, match="not empty: it has theirs"):
        await house.moved()

    assert list((await shared_book(house.url)).tables) == ["theirs"]


async def test_where_postgresql_is_not_reached_nothing_is_marked(house: House) -> None:
    async with house.open():
        pass
    nowhere = House(house.folder, f"postgresql://postgres@/signoff?host={house.folder}")

    with pytest.raises(Unavailable):
        await nowhere.moved()

    assert MOVED_TO not in {row["key"] for row in opened_book(house.file)["meta"]}


async def test_an_older_schema_is_migrated_first(house: House) -> None:
    async with house.open():
        pass
    with closing(sqlite3.connect(house.file)) as file, file:
        file.execute("UPDATE alembic_version SET version_num = '0001'")

    with pytest.raises(Refused, match="`signoff migrate` first"):
        await house.moved()


async def test_a_text_that_cannot_be_kept_is_named(house: House) -> None:
    async with house.open():
        pass
    with closing(sqlite3.connect(house.file)) as file, file:
        file.execute("UPDATE people SET name = 'a' || char(0) || 'b' WHERE id = 'ana'")

    with pytest.raises(Invalid, match=r"people\.name of default, ana"):
        await house.moved()

    assert (await shared_book(house.url)).tables == {}


async def test_a_role_that_is_shown_some_rows_only_moves_nothing(
    house: House, postgres: Postgres
) -> None:
    async with house.open():
        pass
    url = postgres.server.url(postgres.server.make(postgres.template), role=APP_ROLE)

    with pytest.raises(Refused, match="does not own the tables"):
        await House(house.folder, url).moved()


async def test_what_servers_have_open_is_not_restored(house: House) -> None:
    async with house.open(is_moved=True):
        with pytest.raises(Unavailable, match="still have this database open"):
            await restore(house.settings(is_moved=True), None)


async def test_everything_is_there_afterwards_to_the_microsecond(house: House) -> None:
    async with house.open() as it:
        await given_life(it)
    before = opened_book(house.file)

    told = await house.moved()
    after = await shared_book(house.url)

    assert told.moved.broken == ()
    for table, rows in before.tables.items():
        there = [row for row in after[table] if row.get("kind") != "database.moved"]
        assert sorted(map(repr, there)) == sorted(map(repr, map(truthful, rows))), table


def truthful(row: Row) -> dict[str, object]:
    """SQLite keeps yes and no as numbers."""
    flags = ("is_active", "is_late", "is_current")
    return {key: bool(value) if key in flags else value for key, value in row.items()}


async def test_what_waited_goes_on_and_what_people_hold_still_works(house: House) -> None:
    async with house.open() as it:
        kept = await given_life(it)
    await house.moved()

    async with house.open(is_moved=True) as it:
        database = it.application.database
        caller = await database.read(lambda tx: keys.authenticate(tx, kept.key))
        session = await database.read(lambda tx: sign_ins.session_of(tx, kept.session))
        seen = await database.read(lambda tx: links.view(tx, kept.link))
        await agreed(it, kept.paid, BO)
        wrong = await database.read(lambda tx: differences(tx, kept))
        ended = (await picture(it, kept.paid)).row.status

    assert (caller.kind, session and session.person, seen.person) == ("key", ANA, BO)
    assert (ended, LEDGER, wrong) == ("completed", ["work", "pay 10.00"], [])


async def test_a_deadline_passes_where_it_moved_to(house: House) -> None:
    async with house.open() as it:
        run = await started(it, "patient", rung="continue with {} after 1s")
    await house.moved()

    async with house.open(is_moved=True) as it, asyncio.timeout(60):
        while (await picture(it, run)).row.status is not RunStatus.COMPLETED:
            await it.worker.drain()

    assert LEDGER == ["before"]


async def test_a_chain_that_was_broken_before_is_told(house: House) -> None:
    async with house.open() as it:
        kept = await given_life(it)
    with closing(sqlite3.connect(house.file)) as file, file:
        file.executescript(";".join(TAKEN_AWAY))
        file.execute("UPDATE journal SET data = '{}' WHERE run = ? AND position = 0", [kept.paid])

    told = await house.moved()

    assert told.moved.broken == (f"run {kept.paid}",)


async def test_no_server_starts_on_the_file_until_the_move_is_undone(house: House) -> None:
    async with house.open() as it:
        kept = await given_life(it)
    await house.moved()

    with pytest.raises(Refused, match="was moved to PostgreSQL at"):
        async with house.open():
            pass
    back = undo_move(house.settings())
    async with house.open() as it:
        await agreed(it, kept.paid, BO)

    assert (back.restored.held, LEDGER) == (1, ["work"])


async def test_a_role_that_policies_bind_moves_all_the_same(
    house: House, postgres: Postgres
) -> None:
    async with house.open() as it:
        await given_life(it)
    server = postgres.server
    server.ask("CREATE ROLE plain LOGIN")
    server.ask('GRANT SET ON PARAMETER "signoff.tenant" TO plain')
    name = server.make()
    server.ask(f"ALTER DATABASE {name} OWNER TO plain")
    server.ask("ALTER SCHEMA public OWNER TO plain", name)
    url = server.url(name, role="plain")
    await migrated(url)

    told = await House(house.folder, url).moved()

    assert told.moved.rows["runs"] == 2
    assert (
        server.ask("SELECT relforcerowsecurity FROM pg_class WHERE relname = 'runs'", name) == "t"
    )
    assert server.ask("SELECT count(*) FROM runs", name) == "2"
