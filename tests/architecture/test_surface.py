"""What people import is small, listed and there."""

import ast
import importlib
from pathlib import Path

import pytest

import signoff
from bot.reference.sources import tree
from tests.architecture.sources import ROOT, imports, modules, name

NAMES_MAX = 20
MEDIA = sorted(path.parent for path in (ROOT / "channels").glob("*/__init__.py"))


def test_the_public_names_are_few_and_importable() -> None:
    listed = signoff.__all__

    assert 0 < len(listed) <= NAMES_MAX
    assert len(set(listed)) == len(listed)
    assert [public for public in listed if not hasattr(signoff, public)] == []


def test_no_package_exports_more_than_twenty_names() -> None:
    packages = [path for path in modules("bot", "channels", "engine") if path.stem == "__init__"]
    exported = {
        name(path): len(getattr(importlib.import_module(dotted(path)), "__all__", ()))
        for path in packages
    }

    assert {package: count for package, count in exported.items() if count > NAMES_MAX} == {}


def test_starting_imports_nothing() -> None:
    body = tree(ROOT / "bot" / "__init__.py").body

    assert [type(statement) for statement in body] == [ast.Expr]


@pytest.mark.parametrize("medium", MEDIA, ids=lambda path: path.name)
def test_a_medium_knows_no_other_medium(medium: Path) -> None:
    others = [f"channels.{other.name}" for other in MEDIA if other != medium]
    known = {
        f"{name(path)} imports {imported}"
        for path in medium.rglob("*.py")
        for imported in imports(path)
        if any(imported == other or imported.startswith(f"{other}.") for other in others)
    }

    assert known == set()


def dotted(path: Path) -> str:
    return name(path.parent).replace("/", ".")
