"""What fails among others runs once more, alone, and says so when it passes then."""

from pathlib import Path

import pytest

from bot import commands
from bot.bootstrap import ROOT
from bot.commands import AGAIN, AGAIN_MAX

WRONG = "def test_{name}() -> None:\n    assert False\n"
ONLY_ALONE = """
from pathlib import Path

def test_alone() -> None:
    seen = Path(__file__).with_suffix(".seen")
    was_there = seen.exists()
    seen.touch()
    assert was_there
"""


@pytest.fixture(autouse=True)
def _only_what_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Most of the time would go into plugins that no test here wants."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTEST_PLUGINS", "xdist.plugin")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def again(folder: Path) -> int:
    return commands.run_tests_and_again([AGAIN], root=folder)


@pytest.mark.slow
def test_what_fails_alone_too_fails(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "test_wrong.py").write_text(WRONG.format(name="wrong"))

    assert again(tmp_path) == 1
    assert "FLAKY" not in capfd.readouterr().out


@pytest.mark.slow
def test_many_failures_are_no_accident(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    many = "".join(WRONG.format(name=f"wrong_{number}") for number in range(AGAIN_MAX + 1))
    (tmp_path / "test_wrong.py").write_text(many)

    assert again(tmp_path) == 1
    assert "once more" not in capfd.readouterr().out


@pytest.mark.slow
def test_what_passes_alone_passes_and_is_named(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "test_busy.py").write_text(ONLY_ALONE)

    assert again(tmp_path) == 0
    told = capfd.readouterr().out
    assert told.index("1 failed") < told.index("FLAKY") < told.rindex("test_busy.py::test_alone")


@pytest.mark.slow
def test_what_passes_is_not_repeated(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "test_right.py").write_text("def test_right() -> None:\n    assert True\n")

    assert again(tmp_path) == 0
    assert "once more" not in capfd.readouterr().out
