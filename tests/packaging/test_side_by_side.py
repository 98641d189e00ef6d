"""Tests that run side by side, in forks: what fails, dies or breaks at the end is told as if there were one."""

import subprocess
import sys
from pathlib import Path

import pytest

from bot.bootstrap import ROOT

pytestmark = pytest.mark.slow

PLAIN = """
import os
import warnings

import pytest

@pytest.fixture(scope="session")
def whole():
    yield os.getpid()
    if "BREAKS" in os.environ:
        raise ValueError("broken at the end")

@pytest.mark.parametrize("number", range(10))
def test_good(number, whole):
    if number == 5:
        warnings.warn("what was warned of")

def test_bad(capfd):
    print("what was printed")
    assert [1, 2] == [1, 3]

def test_dies():
    os._exit(7)

def test_behind(whole):
    pass
"""
GOOD = "from test_plain import whole\n\ndef test_good(whole):\n    pass\n"


@pytest.fixture
def tests(tmp_path: Path) -> Path:
    (tmp_path / "test_plain.py").write_text(PLAIN)
    for number in range(3):
        (tmp_path / f"test_good_{number}.py").write_text(GOOD)
    return tmp_path


def side_by_side(tests: Path, *words: str, **around: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "pytest", "-p", "tests.side_by_side", "--side-by-side", "2"]
    clean = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(ROOT), **around}
    return subprocess.run(
        [*command, *words], cwd=tests, env=clean, capture_output=True, text=True, check=False
    )


def test_what_fails_or_dies_is_named_and_the_others_still_run(tests: Path) -> None:
    told = side_by_side(tests)

    assert told.returncode == 1
    assert "2 failed, 14 passed, 1 warning" in told.stdout
    assert "FAILED test_plain.py::test_bad - assert [1, 2] == [1, 3]" in told.stdout
    assert "test_plain.py::test_dies - The process of this test ended with 7" in told.stdout
    assert "what was printed" in told.stdout
    assert told.stdout.count("UserWarning: what was warned of") == 1


def test_what_breaks_at_the_end_fails_although_every_test_passed(tests: Path) -> None:
    told = side_by_side(tests, "-k", "good", BREAKS="1")

    assert told.returncode == 1
    assert "13 passed" in told.stdout
    assert "A process of tests ended with 1 when it had no test left." in told.stdout
    assert "broken at the end" in told.stderr


def test_what_passes_passes(tests: Path) -> None:
    told = side_by_side(tests, "-k", "good or behind")

    assert (told.returncode, told.stderr) == (0, "")
    assert "14 passed" in told.stdout


def test_the_first_failure_ends_it_where_that_is_asked_for(tests: Path) -> None:
    many = '@pytest.mark.parametrize("number", range(1000))\ndef test_behind(number)'
    (tests / "test_plain.py").write_text(PLAIN.replace("def test_behind(whole)", many))

    told = side_by_side(tests, "-x", "-k", "bad or behind")

    assert told.returncode == 1
    assert "stopping after 1 failures" in told.stdout
    assert "1000 passed" not in told.stdout


def test_what_cannot_be_collected_runs_nothing(tests: Path) -> None:
    (tests / "test_worse.py").write_text("import nowhere\n")

    told = side_by_side(tests)

    assert told.returncode == 2
    assert "No module named 'nowhere'" in told.stdout
    assert "passed" not in told.stdout
