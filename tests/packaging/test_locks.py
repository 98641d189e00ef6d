"""The locks answer `pyproject.toml`: all it names is there, pinned, hashed and from nowhere."""

import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
EXTRAS: dict[str, list[str]] = PROJECT["project"]["optional-dependencies"]
GROUPS: dict[str, list[str]] = PROJECT["dependency-groups"]
BASE: list[str] = PROJECT["project"]["dependencies"]

WANTED = {
    "server.txt": [*BASE, *EXTRAS["server"], *GROUPS["build"]],
    "postgres.txt": [*BASE, *EXTRAS["server"], *EXTRAS["postgres"], *GROUPS["build"]],
    "dev.txt": [*BASE, *(line for extra in EXTRAS.values() for line in extra), *GROUPS["build"]]
    + GROUPS["dev"],
    "uv.txt": GROUPS["uv"],
}


# What the server needs without importing it, and who does.
NEEDED_BY_OTHERS = {"httptools": "uvicorn", "python-multipart": "fastapi"}


def lock(name: str) -> str:
    return (ROOT / "locks" / name).read_text(encoding="utf-8")


def pins(name: str) -> Iterator[Requirement]:
    for line in lock(name).replace("\\\n", " ").splitlines():
        yield Requirement(line.split(" --hash")[0].strip())


@pytest.mark.parametrize("name", WANTED)
def test_a_lock_names_no_registry_and_no_path(name: str) -> None:
    assert re.findall(r"://|index|find-links|^#|\n#|/", lock(name)) == []


@pytest.mark.parametrize("name", WANTED)
def test_every_pin_is_exact_and_hashed(name: str) -> None:
    lines = lock(name).replace("\\\n", " ").splitlines()

    assert lines
    assert [
        line for line in lines if not re.search(r"==\S+.* --hash=sha256:[0-9a-f]{64}", line)
    ] == []


@pytest.mark.parametrize("name", WANTED)
def test_a_lock_holds_what_the_project_asks_for(name: str) -> None:
    pinned: dict[str, list[str]] = {}
    for pin in pins(name):
        versions = [specifier.version for specifier in pin.specifier]
        pinned.setdefault(canonicalize_name(pin.name), []).extend(versions)

    wanted = [Requirement(line) for line in WANTED[name]]
    unanswered = [
        str(asked)
        for asked in wanted
        if not any(
            asked.specifier.contains(v) for v in pinned.get(canonicalize_name(asked.name), ())
        )
    ]

    assert unanswered == [], "run `python3 -m bot lock`"


def test_the_server_asks_for_nothing_that_is_not_imported() -> None:
    folders = [ROOT / room for room in ("bot", "channels", "engine", "sdk")]
    imported = {each for folder in folders for path in sources(folder) for each in modules(path)}
    modules_of: dict[str, set[str]] = {}
    for module, distributions in packages_distributions().items():
        for each in distributions:
            modules_of.setdefault(canonicalize_name(each), set()).add(module)

    asked = {canonicalize_name(Requirement(line).name) for line in EXTRAS["server"]}
    idle = {each for each in asked if not modules_of[each] & imported}

    assert idle == NEEDED_BY_OTHERS.keys()


def sources(folder: Path) -> Iterator[Path]:
    yield from (path for path in folder.rglob("*.py") if "__pycache__" not in path.parts)


def modules(path: Path) -> Iterator[str]:
    """The packages that a file names where it imports."""
    found = r"^\s*(?:from|import) (\w+)"
    yield from re.findall(found, path.read_text(encoding="utf-8"), re.MULTILINE)


def test_the_demo_and_the_tests_run_the_same_server() -> None:
    names = ("server.txt", "postgres.txt", "dev.txt")
    server, container, dev = ({str(pin) for pin in pins(name)} for name in names)

    assert server - container == set()
    assert container - dev == set()
