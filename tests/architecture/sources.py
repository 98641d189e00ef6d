"""What the rules look at: the files of this checkout, their functions and their imports."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("bot", "channels", "engine", "sdk")
SKIPPED = re.compile(
    r"__pycache__|node_modules|dist|build|\.(?!ci$|github$|gitignore$|env\.example$).+"
)
TEXT = {".css", ".html", ".j2", ".json", ".md", ".py", ".sh", ".toml", ".txt", ".yaml", ".yml", ""}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


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


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(read(path), filename=str(path))


def functions(path: Path) -> Iterator[Function]:
    for node in ast.walk(tree(path)):
        if isinstance(node, Function):
            yield node


@cache
def imports(path: Path) -> set[str]:
    """The full names of everything that is imported anywhere in the module."""
    found: set[str] = set()
    for node in ast.walk(tree(path)):
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
