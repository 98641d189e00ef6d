"""The locks answer `pyproject.toml`: all it names is there, pinned, hashed and from nowhere."""

import re
import tomllib
from collections.abc import Iterator
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


def test_the_demo_and_the_tests_run_the_same_server() -> None:
    names = ("server.txt", "postgres.txt", "dev.txt")
    server, container, dev = ({str(pin) for pin in pins(name)} for name in names)

    assert server - container == set()
    assert container - dev == set()
