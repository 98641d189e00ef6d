"""The page of invariants says for each where it is checked, and that is so."""

import re
from collections import defaultdict
from functools import cache
from importlib import import_module

import pytest

from tests.architecture.sources import ROOT, functions, modules, name

PAGE = (ROOT / "docs" / "invariants.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| (I\d+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
ROWS = {number: (where, besides) for number, _what, where, besides in ROW.findall(PAGE)}
CHECKER = ROOT / "bot" / "chaos" / "checker"


@cache
def existing() -> set[str]:
    files = {name(path) for path in modules("tests")}
    tests = {f"{name(path)}::{each.name}" for path in modules("tests") for each in functions(path)}
    return files | tests


def looked_in() -> dict[str, set[str]]:
    """By module of the checker: the invariants whose rows name it."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for number, (where, _besides) in ROWS.items():
        for module in re.findall(r"`(\w+)\.\w+`", where):
            found[module].add(number)
    return found


def test_every_invariant_has_its_row_and_something_that_looks() -> None:
    assert list(ROWS) == [f"I{number}" for number in range(1, 25)]
    assert all(re.findall(r"`\w+\.\w+`", where) for where, _besides in ROWS.values())


def test_every_function_that_is_named_is_there() -> None:
    named = {each for where, _ in ROWS.values() for each in re.findall(r"`(\w+)\.(\w+)`", where)}
    missing = {
        (module, function)
        for module, function in named
        if not hasattr(import_module(f"bot.chaos.checker.{module}"), function)
    }

    assert missing == set()


def test_what_a_module_says_is_broken_is_in_a_row_that_names_it() -> None:
    said = {
        path.stem: set(re.findall(r"\b(I\d+): ", path.read_text(encoding="utf-8")))
        for path in CHECKER.glob("*.py")
    }

    assert {module: told for module, told in said.items() if told - looked_in()[module]} == {}


@pytest.mark.slow
@pytest.mark.together("sources")
def test_every_test_that_is_named_exists() -> None:
    named = {each for _, besides in ROWS.values() for each in re.findall(r"`([^`]+)`", besides)}

    assert named - existing() == set()
