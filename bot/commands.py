"""What each word after `python3 -m bot` does, once `.venv` is there."""

import compileall
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bot.bootstrap import BIN, LOCKS, PYTHON, ROOT, WINDOWS, BootstrapFailed, find_uv, prepare

AGAIN: Final = "--again"
AGAIN_MAX: Final = 5  # more than these are no accident
AT_ONCE: Final = ("3", "4")  # on two cores; of all tests, many wait for servers and deadlines
SOURCES: Final = ("bot", "channels", "engine", "sdk")

# Each lock is the answer to one question; none names a registry, a path or a moment.
COMPILE: Final = (
    "pip", "compile", "--quiet", "--universal", "--python-version", "3.11", "--generate-hashes",
    "--no-header", "--no-annotate", "--no-emit-index-url",
)  # fmt: skip
QUESTIONS: Final = {
    "server.txt": ("pyproject.toml", "--extra", "server", "--group", "build"),
    "postgres.txt": (
        "pyproject.toml", "--extra", "server", "--extra", "postgres", "--group", "build",
    ),
    "dev.txt": ("pyproject.toml", "--all-extras", "--group", "build", "--group", "dev"),
    "uv.txt": ("--group", "uv"),
}  # fmt: skip


def run(arguments: Sequence[str]) -> int:
    """Do what the first word says; any other word goes to the `signoff` command line."""
    word, *rest = arguments or ["--help"]
    if word == "test":
        _keep_bytecode()
    try:
        prepare("dev" if word in {"test", "check", "lock"} else "server")
    except BootstrapFailed as failure:
        print(failure, file=sys.stderr)
        return 1
    match word:
        case "test":
            os.chdir(ROOT)
            compile_sources()
            return (
                run_tests_and_again(rest)
                if AGAIN in rest
                else _become("pytest", *pytest_arguments(rest))
            )
        case "check":
            return check(rest)
        case "lock":
            return lock(rest)
        case _:
            return _become("signoff", word, *rest)


def _keep_bytecode() -> None:
    """Tests start processes by the dozen, and each would compile all it imports."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False


def compile_sources() -> None:
    """Compile ours on all processors, where the tests' own processes would each do it at once."""
    for folder in SOURCES:
        compileall.compile_dir(ROOT / folder, quiet=2, workers=0)


def pytest_arguments(arguments: Sequence[str]) -> list[str]:
    """What pytest is told: all but slow tests and PostgreSQL, or with `--all` really all, browser included."""
    rest = [argument for argument in arguments if argument != "--all"]
    everything = len(rest) < len(arguments)
    chosen = ["--require-browser"] if everything else ["-m", "not slow and not postgres"]
    return [*_at_once(AT_ONCE[everything]), *chosen, *rest]


def _at_once(number: str) -> Sequence[str]:
    """So many processes, slow files first (tests/conftest.py): whoever is last ends soon.

    Forks of one that has collected all tests, where there are forks; elsewhere each collects them anew.
    """
    if platform.system() == "Linux":
        return ("-p", "tests.side_by_side", "--side-by-side", number)
    return ("-n", number, "--dist", "loadfile", "--no-loadscope-reorder")


def run_tests_and_again(arguments: Sequence[str], *, root: Path = ROOT) -> int:
    """Run the tests; the few that fail run once more, alone, and are named when they pass then.

    A test that needs the machine for itself is found out and does not hide: see
    docs/decisions/0019-a-failed-test-is-tried-once-more-alone.md.
    """
    command = [str(PYTHON), "-m", "pytest"]
    wanted = pytest_arguments([argument for argument in arguments if argument != AGAIN])
    first = subprocess.run([*command, *wanted], cwd=root, check=False)
    failed = failed_tests(root)
    if first.returncode != 1 or not 0 < len(failed) <= AGAIN_MAX:
        return first.returncode
    print(f"\n{len(failed)} failed and are tried once more, alone.\n", flush=True)
    second = subprocess.run([*command, *failed], cwd=root, check=False)
    if second.returncode == 0:
        print("\nFLAKY: failed among others, passed alone. Mend what makes them depend on it:")
        print("\n".join(f"  {name}" for name in failed), flush=True)
    return second.returncode


def failed_tests(root: Path) -> list[str]:
    """What failed when the tests in `root` ran last, by pytest's own account."""
    kept = root / ".pytest_cache" / "v" / "cache" / "lastfailed"
    try:
        found: dict[str, bool] = json.loads(kept.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    return sorted(found)


def check(paths: Sequence[str]) -> int:
    """Format, lint, import contracts and types, at once, told in that order; 0 when all are clean.

    With `paths`, everything but the import contracts looks only there.
    """
    typed = [path for path in paths if path.split("/")[0] in SOURCES]
    checks = {
        "ruff format": ["ruff", "format", "--check", "--quiet", *paths],
        "ruff check": ["ruff", "check", "--quiet", *paths],
        "lint-imports": ["lint-imports"],
        "mypy": ["mypy", *paths],
        "pyright": ["pyright", *typed],
    }
    if paths and not typed:
        del checks["pyright"]
    began = time.monotonic()
    started = {name: _start(command) for name, command in checks.items()}
    failed = [name for name, process in started.items() if not _finish(name, process)]
    seconds = time.monotonic() - began
    print(f"{'failed: ' + ', '.join(failed) if failed else 'all clean'}, in {seconds:.1f} s")
    return 1 if failed else 0


def lock(names: Sequence[str]) -> int:
    """Ask uv for every lock anew; `python3 -m bot lock --upgrade` also moves what is not pinned."""
    uv = find_uv()
    if uv is None:
        print("Locks are made by uv: put it on the PATH and try again.", file=sys.stderr)
        return 1
    for name, question in QUESTIONS.items():
        command = [uv, *COMPILE, *question, *names, "--output-file", str(LOCKS / name)]
        if subprocess.run(command, cwd=ROOT, check=False).returncode != 0:
            return 1
    return 0


def _start(command: Sequence[str]) -> subprocess.Popen[str]:
    program = str(BIN / command[0])
    return subprocess.Popen(
        [program, *command[1:]],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
    )


def _finish(name: str, process: subprocess.Popen[str]) -> bool:
    told, _ = process.communicate()
    clean = process.returncode == 0
    print(f"{'ok    ' if clean else 'FAILED'}  {name}", flush=True)
    if not clean:
        print(told, flush=True)
    return clean


def _become(module: str, *arguments: str) -> int:
    command = [str(PYTHON), "-m", module, *arguments]
    if not WINDOWS:
        os.execv(command[0], command)
    return subprocess.run(command, check=False).returncode
