"""What the rules look at: the files of this checkout, their functions and their imports."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

from bot.reference.sources import tree

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("bot", "channels", "engine", "sdk")
SKIPPED = re.compile(
    r"__pycache__|node_modules|dist|build|\.(?!ci$|github$|gitignore$|env\.example$).+"
)
TEXT = {".css", ".html", ".j2", ".json", ".md", ".py", ".sh", ".toml", ".txt", ".yaml", ".yml", ""}

BLOCKS: Final = ("body", "orelse", "finalbody", "handlers", "cases")  # what holds statements

Function = ast.FunctionDef | ast.AsyncFunctionDef


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def lines(path: Path) -> int:
    return len(read(path).splitlines())


def _walk(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if SKIPPED.fullmatch(path.name):
            continue
        if path.is_dir():
            yield from _walk(path)
        else:
            yield path


@cache
def files() -> tuple[Path, ...]:
    """Every file that belongs to the repository, except environments, caches and builds."""
    return tuple(_walk(ROOT))


def texts() -> list[Path]:
    return [path for path in files() if path.suffix in TEXT and path.name != "LICENSE"]


def modules(*rooms: str) -> list[Path]:
    chosen = rooms or ROOMS
    return [
        path
        for path in files()
        if path.suffix == ".py" and name(path).startswith(tuple(f"{room}/" for room in chosen))
    ]


def templates() -> list[Path]:
    return [
        path
        for path in files()
        if name(path).startswith("templates/") and path.suffix in {".j2", ".html"}
    ]


def functions(path: Path) -> Iterator[Function]:
    return (node for node in statements(path) if isinstance(node, Function))


@cache
def statements(path: Path) -> tuple[ast.AST, ...]:
    """Every statement of a module, however deep, in no order; within expressions there are none."""
    found: list[ast.AST] = [tree(path)]
    for node in found:
        for part in BLOCKS:
            found += getattr(node, part, ())
    return tuple(found)


@cache
def imports(path: Path) -> set[str]:
    """The full names of everything that is imported anywhere in the module."""
    found: set[str] = set()
    for node in statements(path):
        match node:
            case ast.Import(names=names):
                found |= {alias.name for alias in names}
            case ast.ImportFrom(module=str(module), names=names):
                found |= {module, *(f"{module}.{alias.name}" for alias in names)}
            case _:
                pass
    return found


def offences(paths: list[Path], pattern: str) -> list[str]:
    """`file:line: text` of every line in which `pattern` is found."""
    wanted = re.compile(pattern)
    return [
        f"{name(path)}:{number}: {line.strip()}"
        for path in paths
        for number, line in enumerate(read(path).splitlines(), 1)
        if wanted.search(line)
    ]
