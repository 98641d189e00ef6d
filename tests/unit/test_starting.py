"""`signoff init` writes a project that passes every check, and overwrites nothing."""

import ast
import stat
from pathlib import Path

import pytest

from bot.config.reading import read
from bot.settings import Settings, load, variable
from bot.starting import write_project
from engine.errors import Invalid


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(variable(name), raising=False)


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("MINE=1")
    (tmp_path / "signoff.toml").symlink_to(tmp_path / "elsewhere")

    written = write_project(tmp_path)

    assert written == [tmp_path / "workflows" / "hello.py"]
    assert (tmp_path / ".env").read_text() == "MINE=1"
    assert not (tmp_path / "elsewhere").exists()


def test_a_second_time_writes_nothing(tmp_path: Path) -> None:
    write_project(tmp_path)

    assert write_project(tmp_path) == []


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "workflows").write_text("in the way")

    with pytest.raises(Invalid, match="workflows") as refused:
        write_project(tmp_path)

    assert refused.value.code == "cannot_write"


def test_each_project_has_its_own_secret_that_only_its_user_reads(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_project(tmp_path / name)
    one, two = (load(tmp_path / name / ".env") for name in ("one", "two"))

    assert one.secret_key is not None
    assert one.secret_key != two.secret_key
    for name in (".env", "signoff.toml"):
        assert stat.S_IMODE((tmp_path / "one" / name).stat().st_mode) == 0o600


def test_what_is_written_passes_every_check(tmp_path: Path) -> None:
    written = write_project(tmp_path / "new")

    found = read(tmp_path / "new" / "signoff.toml")
    example = ast.parse((tmp_path / "new" / "workflows" / "hello.py").read_text())

    assert [path.name for path in written] == ["signoff.toml", ".env", "hello.py"]
    assert found.directory.roles == {"operator": {"me"}}
    assert load(tmp_path / "new" / ".env").workflows == ("workflows.hello",)
    imported = [node for node in ast.walk(example) if isinstance(node, ast.ImportFrom)]
    assert [node.module for node in imported] == ["signoff"]


def test_what_is_commented_out_is_right_too(tmp_path: Path) -> None:
    write_project(tmp_path)
    path = tmp_path / "signoff.toml"
    text = path.read_text().replace("whsec_...", "whsec_" + "A" * 43 + "=")
    for name in ("bo", "erp-approver"):
        text += f'\n[people.{name}]\nname = "{name}"\n'
    lines = [
        line.removeprefix("# ") if "=" in line or "# [" in line else line
        for line in text.splitlines()
    ]
    path.write_text("\n".join(lines))

    assert set(read(path).directory.routes) == {"default", "operators"}
