"""What this checkout's own source says of itself: its refusals and its log, found in the syntax trees."""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
ROOMS: Final = ("engine", "channels", "bot", "sdk")
WORDS: Final = Path(__file__).with_name("words")

_CODE: Final = re.compile(r"[a-z]+(_[a-z0-9]+)*")
_SAYS_CODE_FIRST: Final = ("BadRule", "SignoffError")
_LEVELS: Final = ("debug", "info", "warning", "error", "exception", "critical")
_LOGS: Final = ("log", "_log")
_TELLING: Final = (ast.AnnAssign, ast.Call, ast.ClassDef, ast.FunctionDef)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Raised:
    """A code in the source, and the class or function that is given it."""

    code: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Logged:
    """One place that logs: the event, how loud, and the fields it names."""

    event: str
    level: str
    room: str
    fields: tuple[str, ...]


@cache
def tree(path: Path) -> ast.Module:
    """The syntax tree of a module, read once."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


@cache
def raised() -> frozenset[Raised]:
    """Every code that this checkout can refuse with."""
    found: set[Raised] = set()
    for _room, node in _telling():
        match node:
            case ast.Call():
                found |= {Raised(code=code, by=_name(node.func)) for code in _codes(node)}
            case ast.ClassDef(name=name):
                found |= {Raised(code=code, by=name) for code in _own_code(node)}
            case ast.FunctionDef(name=name, args=ast.arguments() as given):
                found |= {Raised(code=code, by=f"def {name}") for code in _default_code(given)}
            case ast.AnnAssign(target=ast.Name(id="_CODES"), value=ast.Dict() as table):
                found |= {Raised(code=code, by="Problem") for code in _texts(table)}
            case _:
                pass
    return frozenset(each for each in found if _CODE.fullmatch(each.code))


@cache
def logged() -> tuple[Logged, ...]:
    """Every event that this checkout logs, sorted."""
    found: set[Logged] = set()
    for room, node in _telling():
        if isinstance(node, ast.Call) and (level := _level(node)) and node.args:
            fields = tuple(word.arg for word in node.keywords if word.arg is not None)
            for event in _texts(node.args[0]):
                found.add(Logged(event=event, level=level, room=room, fields=fields))
    return tuple(sorted(found))


def words(name: str) -> Mapping[str, str]:
    """The sentences kept in `words/<name>.txt`: one line each, `what: the sentence`."""
    lines = (WORDS / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    pairs = (line.partition(": ") for line in lines if line and not line.startswith("#"))
    return {what: sentence for what, _, sentence in pairs}


@cache
def _telling() -> tuple[tuple[str, ast.AST], ...]:
    """The nodes that can name a code or an event, each with its room: one walk for all questions."""
    return tuple(
        (room, node)
        for room in ROOMS
        for path in sorted((ROOT / room).rglob("*.py"))
        if not {"bench", "demo"} & set(path.relative_to(ROOT).parts)
        for node in ast.walk(tree(path))
        if isinstance(node, _TELLING)
    )


def _codes(call: ast.Call) -> Iterator[str]:
    for keyword in call.keywords:
        if keyword.arg == "code":
            yield from _texts(keyword.value)
    if _name(call.func) in _SAYS_CODE_FIRST and call.args:
        yield from _texts(call.args[0])


def _own_code(described: ast.ClassDef) -> Iterator[str]:
    for statement in described.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id="code")], value=ast.expr() as value):
                yield from _texts(value)
            case ast.AnnAssign(target=ast.Name(id="code"), value=ast.expr() as value):
                yield from _texts(value)
            case _:
                pass


def _default_code(given: ast.arguments) -> Iterator[str]:
    for argument, default in zip(given.kwonlyargs, given.kw_defaults, strict=True):
        if argument.arg == "code" and default is not None:
            yield from _texts(default)


def _level(call: ast.Call) -> str | None:
    match call.func:
        case ast.Attribute(attr=level, value=ast.Name(id=name)):
            return level if name in _LOGS and level in _LEVELS else None
        case _:
            return None


def _name(called: ast.expr) -> str:
    match called:
        case ast.Name(id=name):
            return name
        case ast.Attribute(attr=name):
            return name
        case _:
            return ""


def _texts(expression: ast.expr) -> Iterator[str]:
    for node in ast.walk(expression):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
