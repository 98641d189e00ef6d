"""`signoff backup`, `restore` and `migrate --to`: what they refuse, and a way back that runs through every verb."""

import stat
from pathlib import Path

import pytest

from tests.cli.ground import Shop, new_shop, served
from tests.fixtures import Postgres

pytestmark = pytest.mark.slow

KEY = "0123456789abcdef" * 4


def given_run(shop: Shop) -> str:
    """A payment of the shop, begun through its server."""
    said = shop.types("run", "pay", "-i", "order=17")
    assert said.code == 0, said.err
    return said.out.strip()


def paused(shop: Shop) -> list[str]:
    said = shop.types("runs", "list", "--status", "paused", "--json")
    return [run["id"] for run in said.json["runs"]]


def test_what_makes_no_sense_is_told(tmp_path: Path) -> None:
    shop = new_shop(tmp_path)
    shop.types("migrate", "--yes")
    said = {
        words: shop.types(*words)
        for words in (
            ("migrate", "--to", "sqlite:///other.db"),
            ("migrate", "--to", "mysql://host/db"),
            ("migrate", "--to", "postgresql://host/db", "--undo-move"),
            ("migrate", "--undo-move"),
            ("restore",),
            ("restore", "missing.db"),
            ("runs", "resume", "--reason", "x"),
        )
    }

    assert [each.code for each in said.values()] == [2, 2, 2, 3, 2, 2, 2]
    assert [each.out for each in said.values()] == [""] * len(said)


def test_a_postgresql_is_neither_copied_nor_moved_nor_restored_from_a_file(tmp_path: Path) -> None:
    url = "postgresql://ana:hidden@db.example.com/signoff"
    shop = new_shop(tmp_path, SIGNOFF_DATABASE_URL=url, SIGNOFF_SECRET_KEY=KEY)

    copied = shop.types("backup", "copy.db")
    same = shop.types("migrate", "--to", url)
    moved = shop.types("migrate", "--to", "postgresql://db.example.com/other")
    restored = shop.types("restore", "copy.db")

    assert [each.code for each in (copied, same, moved, restored)] == [3, 3, 3, 3]
    assert "pg_dump --format=custom --file=copy.db" in copied.err
    assert "[same_database]" in same.err
    assert "pg_restore" in moved.err
    assert "hidden" not in copied.err + same.err + moved.err + restored.err


def test_a_server_is_backed_up_while_it_works_and_goes_on_from_there(tmp_path: Path) -> None:
    shop, backup = new_shop(tmp_path), tmp_path / "backup.db"
    with served(shop):
        run = given_run(shop)
        made = shop.types("backup", "backup.db", "--json")
        again = shop.types("backup", "backup.db")
        later = given_run(shop)
        early = shop.types("restore", "backup.db")

    assert (made.code, again.code, early.code) == (0, 3, 1)
    assert made.json["size"] == backup.stat().st_size
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    assert "[file_owned]" in early.err

    opened = Shop(
        folder=tmp_path, port=shop.port, extra={"SIGNOFF_DATABASE_URL": f"sqlite:///{backup}"}
    )
    refused = opened.says("runs", "list")
    restored = shop.types("restore", "backup.db", "--json")

    assert (refused.code, "[not_restored]" in refused.err) == (3, True)
    assert (restored.json["held"], restored.json["epoch"]) == (1, 2)
    with served(shop):
        assert later not in shop.types("runs", "list").out
        assert paused(shop) == [run]
        assert "came back from a backup" in shop.types("runs", "show", run).out
        assert shop.types("runs", "resume", "--all", "--reason", "Looked.").code == 0
        assert paused(shop) == []


def test_what_was_put_in_place_by_hand_is_declared(tmp_path: Path) -> None:
    shop = new_shop(tmp_path)
    with served(shop):
        run = given_run(shop)
        shop.types("backup", "backup.db")
    for left in tmp_path.glob("signoff.db-*"):
        left.unlink()
    shop.database.write_bytes((tmp_path / "backup.db").read_bytes())

    refused = shop.says("runs", "list")
    declared = shop.types("restore")

    assert "[not_restored]" in refused.err
    assert (declared.code, "Held: 1 run," in declared.err) == (0, True)
    with served(shop):
        assert paused(shop) == [run]


@pytest.mark.postgres
def test_a_file_moves_and_says_where_it_went(tmp_path: Path, postgres: Postgres) -> None:
    shop, url = new_shop(tmp_path), postgres.server.url(postgres.server.make())
    with served(shop):
        run = given_run(shop)
    secret = (tmp_path / "signoff.db.secret").read_text().strip()

    moved = shop.types("migrate", "--to", url)
    refused = shop.says("serve")
    shared = new_shop(tmp_path, SIGNOFF_DATABASE_URL=url, SIGNOFF_SECRET_KEY=secret)
    there = shared.says("runs", "list")

    assert (moved.code, "signoff.db.secret" in moved.err) == (0, True)
    assert (refused.code, "[moved]" in refused.err) == (3, True)
    assert run in there.out
    assert shop.types("migrate", "--undo-move").code == 0
    with served(shop):
        assert paused(shop) == [run]
