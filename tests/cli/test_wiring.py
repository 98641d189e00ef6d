"""One Signoff, put together: what keeps it from starting, what it has, and what it finds again."""

import asyncio
import os
import stat
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.owner_socket import bound, check_is_ours, socket_path
from bot.settings import Settings
from bot.wiring import running
from engine.errors import FileOwned, Invalid, Unavailable
from engine.ids import DEFAULT_TENANT, PersonId, RunId, WorkerId
from engine.services import driving, keys, people, rotating
from engine.services.keys import NewKey
from engine.services.runs import start
from engine.store.routings import channels
from engine.store.runs import NewRun
from tests.cli.ground import CONFIGURATION
from tests.clock import ManualClock

pytestmark = pytest.mark.anyio


def settings(folder: Path, **given: Any) -> Settings:
    file = folder / "signoff.toml"
    if not file.exists():
        file.write_text(CONFIGURATION, encoding="utf-8")
    return Settings(database_url=f"sqlite:///{folder / 'signoff.db'}", config=file, **given)


async def test_a_file_has_one_owner(tmp_path: Path) -> None:
    async with running(settings(tmp_path), authored={}):
        with pytest.raises(FileOwned, match=str(os.getpid())):
            async with running(settings(tmp_path), authored={}):
                pass


async def test_a_configuration_that_was_named_must_be_there(tmp_path: Path) -> None:
    named = Settings(
        database_url=f"sqlite:///{tmp_path / 'signoff.db'}", config=tmp_path / "other.toml"
    )

    with pytest.raises(Invalid, match=r"other\.toml"):
        async with running(named, authored={}):
            pass

    assert not (tmp_path / "signoff.db").exists()


async def test_starting_in_the_wrong_folder_removes_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(settings(tmp_path), authored={}):
        pass
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")

    nameless = Settings(database_url=f"sqlite:///{tmp_path / 'signoff.db'}")
    async with running(nameless, authored={}) as it:
        ana = await it.application.database.read(
            lambda tx: people.find(tx, DEFAULT_TENANT, PersonId("ana"))
        )

    assert ana.is_active


async def test_with_nothing_set_only_the_web_and_webhooks_are_there(tmp_path: Path) -> None:
    async with running(settings(tmp_path), authored={}) as it:
        assert set(it.application.channels) == {"webhook"}
        assert it.application.slack is None
        assert await it.application.database.read(channels) == {"webhook", "web"}


async def test_what_is_configured_is_there(tmp_path: Path) -> None:
    full = settings(
        tmp_path,
        slack_bot_token="xoxb-1-2-abc",
        slack_signing_secret="8f742231b10e8888abcd99yyyzzz85a5",
        smtp_url="smtp://127.0.0.1:2525",
        mail_from="Approvals <approvals@example.com>",
    )

    async with running(full, authored={}) as it:
        assert set(it.application.channels) == {"slack", "email", "webhook"}
        assert it.application.slack is not None


async def test_what_a_dead_owner_held_is_free_at_the_next_start(
    tmp_path: Path, clock: ManualClock
) -> None:
    new = NewRun(
        id=RunId("run_1"), tenant=DEFAULT_TENANT, workflow="greet", version="1",
        input={}, started_by="local", owner=None,
    )  # fmt: skip

    async def claimed() -> int:
        async with running(settings(tmp_path), clock=clock, authored={}) as it:
            found = await it.application.database.write(
                lambda tx: driving.claim(
                    tx, worker=WorkerId("w"), workflows=["greet@1"],
                    lease_for=timedelta(days=1), limit=1,
                )
            )  # fmt: skip
            return len(found)

    async with running(settings(tmp_path), clock=clock, authored={}) as it:
        await it.application.database.write(lambda tx: start(tx, new))

    assert [await claimed(), await claimed()] == [1, 1]


async def test_work_ends_when_it_is_told_to_stop(tmp_path: Path) -> None:
    async with running(settings(tmp_path), authored={}) as it, asyncio.timeout(10):
        it.stop()

        await it.work()


async def test_the_socket_is_never_put_where_others_could_have_put_it(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir(mode=0o755)

    with pytest.raises(Unavailable, match="alone"):
        check_is_ours(shared / "x.sock", tmp_path / "signoff.db")


async def test_a_socket_left_by_the_dead_is_replaced_and_taken_away(tmp_path: Path) -> None:
    database = tmp_path / "signoff.db"
    path = socket_path(database)
    path.touch()

    with bound(database):
        assert stat.S_ISSOCK(path.stat().st_mode)

    assert not path.exists()


async def test_a_secret_is_changed_and_the_one_before_is_missed_by_nobody(tmp_path: Path) -> None:
    old, new = "the first secret of at least 32 bytes", "the second secret of at least 32 bytes"
    wanted = NewKey(name="shop", scopes=["read"])
    async with running(settings(tmp_path, secret_key=old), authored={}) as it:
        _, presented = await it.application.database.write(
            lambda tx: keys.create(tx, DEFAULT_TENANT, wanted, by="tests")
        )
        signed_before = it.application.signer.public

    with pytest.raises(Invalid, match="SIGNOFF_SECRET_KEY_PREVIOUS"):
        async with running(settings(tmp_path, **changed(new, old + "!")), authored={}):
            pass
    async with running(settings(tmp_path, **changed(new, old)), authored={}) as it:
        database = it.application.database
        before = await rotating.standing(database)
        caller = await database.read(lambda tx: keys.authenticate(tx, presented))
        await database.write(lambda tx: keys.note_use(tx, caller))
        after = await rotating.standing(database)

        assert signed_before in it.application.trusted[1:]
    assert (before.made_before.keys, before.is_needed) == (("shop",), True)
    assert (after.accepted, after.is_needed) == (1, False)


def changed(new: str, *older: str) -> dict[str, Any]:
    return {"secret_key": new, "secret_key_previous": older}
