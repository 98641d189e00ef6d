"""PostgreSQL that cannot be used from the start: whoever is there is told what to do, and nothing waits long."""

import asyncio
import socket
import subprocess
import sys
from collections.abc import Generator
from contextlib import closing

import pytest

from bot.settings import Settings
from engine.errors import Unavailable
from engine.store.postgres import Surroundings, opened_on
from engine.store.postgres_connecting import CONNECT_WITHIN
from engine.store.postgres_url import each_host, shown_url
from tests.fixtures import Postgres
from tests.postgres.server import Server, server

pytestmark = pytest.mark.anyio

SECONDS_MAX = 60
WITHOUT_DRIVER = """
import sys
sys.modules["asyncpg"] = None
from bot.cli.verbs import app
app(["migrate", "--yes"])
"""


@pytest.fixture(scope="module")
def guarded() -> Generator[Server]:
    """A server that asks one of its users for a password."""
    with server() as started:
        rules = started.folder / "data" / "pg_hba.conf"
        rules.write_text("local all guarded scram-sha-256\n" + rules.read_text())
        started.ask("CREATE ROLE guarded LOGIN PASSWORD 'right'")
        started.ask("CREATE ROLE poor LOGIN")
        started.ask("CREATE DATABASE signoff")
        started.ask("SELECT pg_reload_conf()")
        yield started


@pytest.fixture
def silent() -> Generator[int]:
    """The port of a host that takes connections and says nothing."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port: int = listener.getsockname()[1]
        yield port


@pytest.fixture
def nobody() -> int:
    """A port where nothing listens."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port: int = listener.getsockname()[1]
    return port


async def started(url: str, surroundings: Surroundings) -> None:
    async with opened_on(url, surroundings):
        pass


@pytest.mark.parametrize(
    "url",
    [
        "mysql://signoff@host/signoff",
        "postgresql:signoff",
        "postgresql://host:0/signoff",
        "postgresql://host:port/signoff",
        "postgresql://one:5432,two:x/signoff",
        "postgresql:///signoff?host=one,two&port=1,2,3",
    ],
)
def test_an_address_that_is_none_is_told_with_the_settings(url: str) -> None:
    with pytest.raises(ValueError, match=r"Write .*postgresql://user:password@host/signoff"):
        Settings(database_url=url)


@pytest.mark.parametrize(
    ("url", "hosts"),
    [
        ("postgres://u:p@one/db", ["one"]),
        ("postgresql://u:p@one,two:5433/db", ["one", "two:5433"]),
        ("postgresql://u@[::1]:5432,[::2]/db?sslmode=require", ["[::1]:5432", "[::2]"]),
    ],
)
def test_several_hosts_are_tried_one_by_one_for_one_that_takes_writes(
    url: str, hosts: list[str]
) -> None:
    each = each_host(Settings(database_url=url).database_url)

    assert [shown_url(one) for one in each] == [f"{host}/db" for host in hosts]
    assert all(("target_session_attrs=read-write" in one) is (len(hosts) > 1) for one in each)


def test_what_is_shown_of_an_address_holds_no_password() -> None:
    assert shown_url("postgresql://ana:secret@one:1,two:2/db?password=secret") == "one:1,two:2/db"


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("user", "database", "code", "says"),
    [
        ("guarded:wrong", "signoff", "store_login", "correct the user and the password"),
        ("guarded", "signoff", "store_login", "correct the user and the password"),
        ("nobody", "signoff", "store_login", "correct the user and the password"),
        ("poor", "signoff", "store_login", "make it the owner of the database"),
        ("postgres", "nothing", "no_database", "make it with `createdb`"),
    ],
    ids=["a wrong password", "no password", "no such user", "no leave", "no such database"],
)
async def test_who_is_not_let_in_is_told_what_to_correct(
    guarded: Server, surroundings: Surroundings, user: str, database: str, code: str, says: str
) -> None:
    url = f"postgresql://{user}@/{database}?host={guarded.folder}"

    with pytest.raises(Unavailable, match=f"(?i){says}") as refused:
        await started(url, surroundings)

    assert refused.value.code == code
    assert "wrong" not in str(refused.value)


@pytest.mark.postgres
async def test_the_right_password_opens_it(guarded: Server, surroundings: Surroundings) -> None:
    guarded.ask("GRANT ALL ON SCHEMA public TO guarded", "signoff")

    await started(f"postgresql://guarded:right@/signoff?host={guarded.folder}", surroundings)


@pytest.mark.postgres
async def test_where_nothing_listens_that_is_said_at_once(
    surroundings: Surroundings, nobody: int
) -> None:
    with pytest.raises(Unavailable, match="Look at its host, its port and its log") as refused:
        await started(f"postgresql://postgres@127.0.0.1:{nobody}/x", surroundings)

    assert refused.value.code == "store_away"


@pytest.mark.postgres
@pytest.mark.slow
async def test_a_host_that_does_not_answer_is_waited_for_a_few_seconds(
    surroundings: Surroundings, silent: int
) -> None:
    url = f"postgresql://postgres@127.0.0.1:{silent}/x"

    async with asyncio.timeout(3 * CONNECT_WITHIN.total_seconds()):
        with pytest.raises(Unavailable, match="no answer in time"):
            await started(url, surroundings)


@pytest.mark.postgres
@pytest.mark.slow
async def test_a_dead_host_hides_no_other(
    postgres: Postgres, url: str, surroundings: Surroundings, silent: int
) -> None:
    name = url.partition("@/")[2].partition("?")[0]
    hosts = f"host=127.0.0.1,{postgres.server.folder}&port={silent},5432"

    async with opened_on(f"postgresql://postgres@/{name}?{hosts}", surroundings) as database:
        found = await database.read(lambda tx: tx.now)

    assert found.year > 2000


def test_without_the_driver_it_says_how_to_get_it(tmp_path_factory: pytest.TempPathFactory) -> None:
    environment = {
        "SIGNOFF_DATABASE_URL": "postgresql://postgres@/x?host=/nowhere",
        "SIGNOFF_SECRET_KEY": "0123456789abcdef" * 4,
    }

    ended = subprocess.run(
        [sys.executable, "-c", WITHOUT_DRIVER],
        cwd=tmp_path_factory.mktemp("empty"),
        env=environment,
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )

    assert "pip install 'signoff[server,postgres]'" in ended.stderr
    assert ended.returncode == 1
