"""The first start: it speaks to any Python 3 and needs nothing but the standard library."""

import ast
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bot.bootstrap import ROOT
from bot.commands import pytest_arguments

FIRST = ROOT / "bot" / "__main__.py"
CHANGE = "(bootstrap.LOCKS / 'server.txt').write_text('')"
BEFORE_ANY_PACKAGE = [
    ROOT / "bot" / name for name in ("__init__.py", "bootstrap.py", "commands.py")
]


def imported(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names=names):
                found |= {name.name.split(".")[0] for name in names}
            case ast.ImportFrom(module=str(module)):
                found.add(module.split(".")[0])
            case _:
                pass
    return found


def test_an_old_python_can_read_the_refusal() -> None:
    source = FIRST.read_text(encoding="utf-8")

    assert ast.parse(source, feature_version=(3, 6))
    assert imported(FIRST) == {"sys", "bot"}


def test_an_old_python_is_refused_in_a_sentence() -> None:
    old = "import sys, bot.__main__ as first; sys.version_info = (3, 9, 1); sys.exit(first.main())"

    refused = subprocess.run(
        [sys.executable, "-c", old], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert refused.returncode == 1
    assert "needs Python 3.11 or newer, and this is Python 3.9" in refused.stderr


@pytest.mark.parametrize("path", BEFORE_ANY_PACKAGE, ids=lambda path: path.name)
def test_nothing_is_needed_before_the_packages_are_there(path: Path) -> None:
    assert imported(path) - {"bot"} <= sys.stdlib_module_names


def test_a_second_start_begins_no_process_before_its_work(checkout: Path) -> None:
    assert processes_begun(checkout, holding="server") == 0


def test_the_developers_environment_serves_the_demo_too(checkout: Path) -> None:
    assert processes_begun(checkout, holding="dev") == 0


def test_a_changed_lock_is_installed_again(checkout: Path) -> None:
    assert processes_begun(checkout, holding="server", change=CHANGE) > 0


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout whose environment is there, and whose every installer fails at once."""
    for name in ("bot", "locks"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("[!_bcdsu]*"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").symlink_to(shutil.which("false") or "")
    return tmp_path


def processes_begun(checkout: Path, *, holding: str, change: str = "") -> int:
    """How many processes a start of the demo begins, when the environment holds `holding`."""
    watched = (
        "import sys\n"
        "from contextlib import suppress\n"
        "from bot import bootstrap\n"
        "begun = []\n"
        "sys.addaudithook(lambda event, args: event == 'subprocess.Popen' and begun.append(args))\n"
        f"bootstrap.STAMP.write_text('\\n'.join(bootstrap._stamp({holding!r})))\n"
        f"{change}\n"
        "with suppress(bootstrap.BootstrapFailed):\n"
        "    bootstrap.prepare('server')\n"
        "sys.exit(len(begun))\n"
    )
    command = [sys.executable, "-c", watched]
    return subprocess.run(command, cwd=checkout, check=False, capture_output=True).returncode


@pytest.mark.parametrize(
    ("given", "told"),
    [
        pytest.param([], ["-m", "not slow and not postgres"], id="a person gets the quick tests"),
        pytest.param(["--all"], ["--require-browser"], id="all means the browser too"),
        pytest.param(
            ["tests/unit", "--all"], ["--require-browser", "tests/unit"], id="the rest is pytest's"
        ),
    ],
)
def test_what_pytest_is_told(given: list[str], told: list[str]) -> None:
    side_by_side = 4 if platform.system() == "Linux" else 5

    assert pytest_arguments(given)[side_by_side:] == told
