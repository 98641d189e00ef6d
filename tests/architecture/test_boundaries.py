"""Every commit and every call to the world outside is a boundary, and every boundary is made to fail in a test."""

import ast
from collections.abc import Iterator, Mapping
from importlib import import_module
from itertools import chain
from pathlib import Path
from typing import Final

from bot.reference.sources import tree
from engine.failpoints import BOUNDARIES
from tests.architecture.deeds import SERVICES, found
from tests.architecture.sources import ROOT, Function, functions, imports, modules, name, read
from tests.channels.slack.test_crossings import CROSSED as SLACK
from tests.channels.test_crossings import CROSSED as MESSAGES
from tests.durability.test_boundaries import STORIES
from tests.durability.test_crossings import CROSSED as FOREIGN
from tests.tracing.test_crossings import CROSSED as TRACES

# What leaves this process, by the library that does it: its calls that reach somebody.
DOORS: Final[Mapping[str, frozenset[str]]] = {
    "aiosmtplib.SMTP": frozenset({"connect", "data", "sendmail", "send_message"}),
    "slack_sdk.web.async_client": frozenset({"api_call"}),
    "slack_sdk.webhook.async_client": frozenset({"send_dict", "send"}),
    "engine.http.Egress": frozenset({"request"}),
    "engine.http.plain_client": frozenset({"post", "put", "send"}),
}
LIBRARIES: Final = (
    "aiohttp",
    "aiosmtplib",
    "httpx",
    "slack_sdk",
    "smtplib",
    "socket",
    "subprocess",
)
# They listen, look at this machine, or are a client of a server: none of them acts for a run.
LISTENERS: Final = frozenset(
    {
        "bot/bootstrap.py", "bot/cli/connection.py", "bot/commands.py", "bot/doctor.py",
        "bot/owner_socket.py", "bot/serving.py", "engine/http.py",
    }
)  # fmt: skip
TOOLS: Final = ("bot/bench/", "bot/chaos/", "bot/demo/")
OURS: Final = [
    path for path in modules("engine", "channels", "bot") if not name(path).startswith(TOOLS)
]


def bounded() -> list[Path]:
    """The modules that make a boundary."""
    return [
        path
        for path in OURS
        if "Boundary" in read(path) and "engine.failpoints.Boundary" in imports(path)
    ]


def doors(path: Path) -> frozenset[str]:
    """The calls of a module that leave this process."""
    imported = imports(path)
    calls = (each for library, each in DOORS.items() if library in imported)
    return frozenset(chain.from_iterable(calls))


def bare(path: Path) -> Iterator[str]:
    """The calls of a module that leave this process, and go through no boundary."""
    leaving = doors(path)
    for function in functions(path):
        through = set(_through(function))
        for node in ast.walk(function):
            match node:
                case ast.Call(func=ast.Attribute(attr=call)) if call in leaving:
                    if node not in through:
                        yield f"{name(path)}:{node.lineno}: {call}"
                case _:
                    pass


def _through(function: Function) -> Iterator[ast.AST]:
    names: set[str] = set()
    for node in ast.walk(function):
        match node:
            case ast.Call(func=ast.Attribute(attr="through"), args=[given, *_]):
                yield from ast.walk(given)
                names |= {each.id for each in ast.walk(given) if isinstance(each, ast.Name)}
            case _:
                pass
    for node in ast.walk(function):
        match node:
            case ast.Assign(targets=[ast.Name(id=word)], value=made) if word in names:
                yield from ast.walk(made)
            case _:
                pass


def _methods(path: Path) -> Iterator[str]:
    for node in ast.walk(tree(path)):
        match node:
            case ast.Call(
                func=ast.Attribute(attr="call" | "look"), args=[ast.Constant(value=str(method)), *_]
            ):
                yield method
            case _:
                pass


def test_every_deed_has_a_story_in_which_its_commit_fails() -> None:
    told = {deed for story in STORIES.values() for deed in story.about}

    assert sorted(found().deeds - told) == []


def test_no_story_is_about_what_is_no_deed() -> None:
    told = {deed for story in STORIES.values() for deed in story.about}

    assert {deed for deed in told if f"{SERVICES}{deed}" not in found().functions} == set()


def test_every_boundary_fails_in_a_test() -> None:
    commits = {"commit.sqlite", "commit.postgres"}
    for path in bounded():
        import_module(name(path).removesuffix(".py").replace("/", "."))

    assert {*MESSAGES, *FOREIGN, *TRACES, *commits, "slack"} == set(BOUNDARIES)


def test_every_method_of_slack_fails_in_a_test() -> None:
    called = {method for path in modules("channels/slack") for method in _methods(path)}

    assert called == set(SLACK) - {"response_url"}


def test_what_leaves_this_process_goes_through_a_boundary() -> None:
    leaving = [path for path in OURS if doors(path)]

    assert leaving
    assert [call for path in leaving for call in bare(path)] == []


def test_what_can_leave_this_process_is_known() -> None:
    reaching = {
        name(path)
        for path in OURS
        if any(each.partition(".")[0] in LIBRARIES for each in imports(path))
    }
    through_its_client = {"channels/slack/answers.py"}

    assert reaching - LISTENERS - {name(path) for path in bounded()} - through_its_client == set()


def test_the_page_names_every_boundary() -> None:
    page = read(ROOT / "docs/reliability.md")

    assert [boundary for boundary in BOUNDARIES if f"`{boundary}`" not in page] == []
