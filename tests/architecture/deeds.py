"""Which functions of the services write, as their source tells: whatever leads to a statement that does."""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Final

from bot.reference.sources import tree
from tests.architecture.sources import Function, modules, name

SERVICES: Final = "engine.services."
WRITERS: Final = {f"engine.store.statements.{each}" for each in ("add", "change", "put", "add_new")}
VERBS: Final = {"insert", "update", "delete"}
RUNS: Final = {"run", "run_all", "run_soon"}  # of a prepared statement


@dataclass
class Room:
    """The functions of the store and the services, and the constants that hold statements."""

    functions: dict[str, tuple[Function, dict[str, str], str]] = field(
        default_factory=dict[str, tuple[Function, dict[str, str], str]]
    )
    statements: set[str] = field(default_factory=set[str])
    known: dict[str, bool] = field(default_factory=dict[str, bool])

    def read(self, path: Path) -> None:
        """Take in one module."""
        home = name(path).removesuffix(".py").replace("/", ".").removesuffix(".__init__")
        names = dict(_imported(tree(path)))
        self._take(f"{home}.", tree(path).body, names)

    def _take(self, home: str, body: Sequence[ast.stmt], names: dict[str, str]) -> None:
        for each in body:
            match each:
                case ast.FunctionDef() | ast.AsyncFunctionDef():
                    self.functions[f"{home}{each.name}"] = (each, names, home)
                case ast.ClassDef():
                    self._take(f"{home}{each.name}.", each.body, names)
                case ast.Assign() if VERBS & _called(each):
                    self.statements |= {f"{home}{ast.unparse(to)}" for to in each.targets}
                case _:
                    pass

    def writes(self, function: str, seen: frozenset[str] = frozenset()) -> bool:
        """Whether what is called so leads to a write."""
        if function in WRITERS or function in self.statements:
            return True
        if function not in self.functions or function in seen:
            return False
        if function not in self.known:
            onward = seen | {function}
            self.known[function] = _writes_itself(self.functions[function][0]) or any(
                self.writes(each, onward) for each in self._named_in(function)
            )
        return self.known[function]

    @cached_property
    def deeds(self) -> set[str]:
        """The public functions of the services that take a transaction and write, as `votes.cast`."""
        return {
            each.removeprefix(SERVICES)
            for each, (node, _names, home) in self.functions.items()
            if each.startswith(SERVICES) and not node.name.startswith("_") and home.count(".") == 3
            if _takes_transaction(node) and self.writes(each)
        }

    def _named_in(self, function: str) -> Iterator[str]:
        node, names, home = self.functions[function]
        module = ".".join(home.split(".")[:3]) if home.startswith("engine.s") else home
        own = set(_own(node))
        for each in ast.walk(node):
            match each:
                case ast.Name(id=word) if word not in own:
                    yield names.get(word, f"{module}.{word}")
                case ast.Attribute(value=ast.Name(id="self"), attr=word):
                    yield f"{home}{word}"
                case ast.Attribute(value=ast.Name(id=owner), attr=word) if owner not in own:
                    yield f"{names.get(owner, owner)}.{word}"
                case _:
                    pass


@cache
def found() -> Room:
    """The store and the services as they stand."""
    room = Room()
    for path in modules("engine/store", "engine/services"):
        if "migrations" not in path.parts:
            room.read(path)
    return room


def _imported(module: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(module):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield alias.asname or alias.name, f"{node.module}.{alias.name}"


def _own(function: Function) -> Iterator[str]:
    for node in ast.walk(function):
        match node:
            case ast.arg(arg=word) | ast.Name(id=word, ctx=ast.Store()):
                yield word
            case _:
                pass


def _called(node: ast.AST) -> set[str]:
    calls = (each.func for each in ast.walk(node) if isinstance(each, ast.Call))
    return {func.id for func in calls if isinstance(func, ast.Name)}


def _writes_itself(node: Function) -> bool:
    ran = any(
        isinstance(each, ast.Call)
        and isinstance(each.func, ast.Attribute)
        and each.func.attr in RUNS
        and bool(each.args)
        and ast.unparse(each.args[0]) == "tx"
        for each in ast.walk(node)
    )
    return ran or bool(VERBS & _called(node))


def _takes_transaction(node: Function) -> bool:
    given = [*node.args.posonlyargs, *node.args.args]
    note = given[0].annotation if given else None
    return note is not None and ast.unparse(note) == "Transaction"
