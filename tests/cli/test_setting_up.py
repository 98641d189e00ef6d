"""`signoff init`, `doctor`, `migrate` and `slack manifest`: what is wrong first, then a project that runs."""

import json
import sqlite3
from pathlib import Path

import pytest

from tests.cli.ground import Shop, free_port, new_shop


def empty(folder: Path, **extra: str) -> Shop:
    return Shop(folder=folder, port=free_port(), extra=extra)


def test_init_never_overwrites(tmp_path: Path) -> None:
    (tmp_path / "signoff.toml").write_text("# mine\n", encoding="utf-8")

    said = empty(tmp_path).types("init", "--json")

    assert said.code == 0
    assert sorted(Path(path).name for path in said.json["written"]) == [".env", "hello.py"]
    assert (tmp_path / "signoff.toml").read_text(encoding="utf-8") == "# mine\n"


def test_init_into_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("", encoding="utf-8")

    said = empty(tmp_path).types("init", "taken")

    assert said.code == 2
    assert "[cannot_write]" in said.err


def test_doctor_tells_every_mistake_with_its_line_and_fails(tmp_path: Path) -> None:
    shop = new_shop(tmp_path)
    file = tmp_path / "signoff.toml"
    file.write_text(file.read_text(encoding="utf-8").replace('["ana", "bo"]', '["anna", "bo"]'))

    said = shop.types("doctor")

    assert said.code == 1
    assert "✗ signoff.toml, line 14: " in said.out
    assert "anna" in said.out


def test_doctor_is_content_with_what_init_wrote(tmp_path: Path) -> None:
    shop = empty(tmp_path)
    shop.types("init")

    said = shop.types("doctor", "--json")

    assert said.code == 0
    assert {finding["level"] for finding in said.json["findings"]} == {"ok"}


def test_migrate_leaves_a_database_alone_until_there_is_a_backup(tmp_path: Path) -> None:
    shop = empty(tmp_path)
    shop.database.touch()

    said = shop.types("migrate")

    assert (said.code, said.out) == (2, "")
    assert "Back up first" in said.err
    assert shop.database.read_bytes() == b""


def test_migrate_brings_the_schema_up(tmp_path: Path) -> None:
    shop = empty(tmp_path)
    shop.database.touch()

    said = shop.types("migrate", "--yes", "--json")

    assert said.code == 0
    assert said.json["schema"] == "current"
    with sqlite3.connect(shop.database) as database:
        assert database.execute("SELECT count(*) FROM runs").fetchone() == (0,)
    database.close()


def test_a_database_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    shop = empty(tmp_path)
    shop.types("migrate", "--yes")
    with sqlite3.connect(shop.database) as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
        database.execute("UPDATE meta SET value = '9999' WHERE key = 'oldest_schema'")
    database.close()

    said = shop.types("migrate", "--yes")

    assert said.code == 1
    assert "[schema_too_new]" in said.err


def test_a_manifest_for_no_address_is_refused(tmp_path: Path) -> None:
    said = empty(tmp_path).types("slack", "manifest", "--base-url", "bot example")

    assert (said.code, said.out) == (2, "")


def test_the_manifest_is_printed_for_people_and_programs(tmp_path: Path) -> None:
    words = ("slack", "manifest", "--base-url", "https://bot.example.com")

    text, record = empty(tmp_path).types(*words), empty(tmp_path).types(*words, "--json")

    assert 'request_url: "https://bot.example.com/slack/events"' in text.out
    assert json.loads(record.out)["display_information"]["name"] == "Signoff"
    assert text.err == ""


@pytest.mark.slow
def test_what_init_wrote_runs(tmp_path: Path) -> None:
    shop = empty(tmp_path)
    shop.types("init")

    said = shop.says("run", "hello", "-i", "name=World", "--json")

    assert said.code == 0
    assert said.json["status"] == "created"
