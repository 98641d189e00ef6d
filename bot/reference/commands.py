"""`docs/reference/cli.md`: every verb of the command line, with its words and options."""

from collections.abc import Iterator
from typing import Any, Final

import typer.main
from typer.core import TyperArgument, TyperGroup, TyperOption

from bot.cli.verbs import app
from bot.reference.tables import code, table

_INTRODUCTION: Final = """\
# The command line

This page is made from the commands themselves; a test keeps it complete.

`signoff` talks to whoever owns the database of the folder in which it is started, over a socket that
only the same user can open; with nobody running, it opens the database itself. With `--url`, or
`SIGNOFF_URL` and `SIGNOFF_API_KEY`, it talks to a server elsewhere. Where there are several tenants,
`--tenant` or `SIGNOFF_TENANT` says whose. Results go to stdout, everything
else to stderr. `--json` prints the result for programs.

| exit code | means |
| --- | --- |
| 0 | done |
| 1 | it could not be done: not there, not reachable, broken, or not successful |
| 2 | what was asked cannot be understood |
| 3 | understood and refused: by the rules, or because something else happened before |
"""


def commands_page() -> str:
    """The whole page as Markdown; the same text every time."""
    root = typer.main.get_command(app)
    lines = [
        line for name, command in _commands(root, "signoff") for line in _section(name, command)
    ]
    return "\n".join((_INTRODUCTION, *lines))


def _commands(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    # The library's own classes for commands are private, hence Any.
    if isinstance(command, TyperGroup):
        for each in command.commands.values():
            yield from _commands(each, f"{name} {each.name}")
    elif not command.hidden:
        yield name, command


def _section(name: str, command: Any) -> Iterator[str]:
    arguments = [each for each in command.params if isinstance(each, TyperArgument)]
    options = [each for each in command.params if isinstance(each, TyperOption) and not each.hidden]
    words = [_word(each) for each in arguments]
    yield f"## `{' '.join((name, *words))}`\n"
    yield f"{' '.join((command.help or '').split())}\n"
    rows = [*(_argument(each) for each in arguments), *(_option(each) for each in options)]
    if rows:
        yield from table(("word or option", "means", "default"), rows)
        yield ""


def _word(argument: TyperArgument) -> str:
    name = argument.metavar or (argument.name or "").upper()
    return name if argument.required else f"[{name.strip('[]')}]"


def _argument(argument: TyperArgument) -> tuple[str, str, str]:
    return code(_word(argument)), argument.help or "", _default(argument.default)


def _option(option: TyperOption) -> tuple[str, str, str]:
    names = ", ".join([*option.opts, *option.secondary_opts])
    takes = "" if option.is_flag else f" {option.metavar or (option.name or '').upper()}"
    needed = "required" if option.required else _default(option.default)
    return code(f"{names}{takes}"), option.help or "", needed


def _default(default: object) -> str:
    return "" if default is None or default is False or callable(default) else code(str(default))
