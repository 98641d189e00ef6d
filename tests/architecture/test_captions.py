"""Every file says in one sentence what it is, and everything people call says what it promises."""

import ast

from bot.reference.sources import tree
from tests.architecture.sources import ROOMS, Function, modules, name, read, templates

PROMISING = ("engine/rules", "engine/services", "engine/store", "engine/runtime")
VERBS = {"delete", "get", "head", "patch", "post", "put"}


def test_every_module_has_a_caption() -> None:
    without = [
        name(path)
        for path in modules(*ROOMS, "tests", "examples", "benchmarks")
        if not is_sentence(ast.get_docstring(tree(path)) or "")
    ]

    assert without == []


def test_every_template_opens_with_what_it_needs() -> None:
    assert [name(path) for path in templates() if not read(path).startswith("{#")] == []


def test_every_public_function_of_the_engine_promises_something() -> None:
    without = [
        f"{name(path)}:{function.name}"
        for path in modules(*PROMISING)
        for function in tree(path).body
        if isinstance(function, Function)
        if not function.name.startswith("_") and not ast.get_docstring(function)
    ]

    assert without == []


def test_every_route_describes_itself() -> None:
    without = [
        f"{name(path)}:{function.name}"
        for path in modules("bot")
        for function in tree(path).body
        if isinstance(function, Function) and is_route(function)
        if not ast.get_docstring(function)
    ]

    assert without == []


def is_sentence(docstring: str) -> bool:
    caption, _, rest = docstring.partition("\n")
    return caption.endswith((".", "?", "!")) and (not rest or rest.startswith("\n"))


def is_route(function: Function) -> bool:
    return any(
        isinstance(decorator, ast.Call)
        and isinstance(decorator.func, ast.Attribute)
        and decorator.func.attr in VERBS
        for decorator in function.decorator_list
    )
