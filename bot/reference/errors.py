"""`docs/errors.md`: every code that a refusal can carry, what it means, and what to do next."""

import importlib
import pkgutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from bot.reference.sources import raised, words
from bot.reference.tables import code, table
from engine import errors
from engine.errors import EngineError

_INTRODUCTION: Final = """\
# Errors

This page is made from the source; a test keeps it complete.

Every refusal has a **code** that does not change, for programs, and a sentence that says what to do
next, for people. Over HTTP it is `application/problem+json`:

```json
{"type": "/problems/already_decided", "title": "Things have moved on", "status": 409,
 "detail": "Already approved by Ana Diaz at 12:04 UTC.", "code": "already_decided"}
```

On the command line the sentence goes to stderr, the code behind it in brackets. In Python, code
outside of the server gets a `SignoffError` with `code` and `status`.

## Families

The family says whether trying again can help.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Errors that are answered alike, because the same thing helps."""

    name: str
    root: str
    status: str
    exit_code: str
    says: str


FAMILIES: Final = (
    Family(name="not found", root="NotFound", status="404", exit_code="1",
           says="There is no such thing here, or you may not know that there is."),
    Family(name="refused", root="Refused", status="403, or 401 for strangers", exit_code="3",
           says="The rules said no. The same call by the same caller can never succeed."),
    Family(name="invalid", root="Invalid", status="422", exit_code="2",
           says="What was sent cannot be understood or satisfied. Mend it and send it again."),
    Family(name="conflict", root="Conflict", status="409", exit_code="3",
           says="Somebody was faster, or it has moved on. Reload and decide again."),
    Family(name="unavailable", root="Unavailable", status="503", exit_code="1",
           says="Not now. Nothing was lost; the same call may succeed later."),
    Family(name="fault", root="Fault", status="500", exit_code="1",
           says="Code or world broke its promise. A person must look."),
    Family(name="setting", root="ChannelMisconfigured", status="", exit_code="1",
           says="A channel cannot work as it is set up; the start fails, or its messages wait."),
    Family(name="request", root="Problem", status="as it says", exit_code="",
           says="The request itself was not understood, before anything was looked at."),
    Family(name="terminal", root="Stopped", status="", exit_code="2 or 3",
           says="The command line stopped before it asked a server."),
    Family(name="client", root="SignoffError", status="0", exit_code="1",
           says="The Python client raised it by itself: no server said it."),
)  # fmt: skip
_BESIDE: Final[Mapping[str, str]] = {
    "Cause": "Unavailable",
    "def usage": "Stopped",
    "usage": "Stopped",
    "wrong": "Invalid",
    "SettingProblem": "Invalid",
}


def errors_page() -> str:
    """The whole page as Markdown; the same text every time."""
    said = words("errors")
    families = (
        (each.name, each.status or "–", each.exit_code or "–", each.says) for each in FAMILIES
    )
    rows = (
        (code(found), ", ".join(sorted(names)), said.get(found, ""))
        for found, names in sorted(codes().items())
    )
    return "\n".join(
        (
            _INTRODUCTION,
            *table(("family", "HTTP", "exit code", "says"), families),
            "\n## Codes\n",
            *table(("code", "family", "means, and what to do"), rows),
            "\n## How the classes hang together\n",
            "```text",
            _drawing(),
            "```",
            "",
        )
    )


def codes() -> dict[str, set[str]]:
    """Every code, and the families it belongs to."""
    _import_everything()
    classes = {each.__name__: each for each in _below(EngineError)}
    found: dict[str, set[str]] = {}
    for each in raised():
        name = _BESIDE.get(each.by, each.by)
        kinds = {kind.__name__ for kind in classes[name].__mro__} if name in classes else {name}
        if family := next((one.name for one in FAMILIES if one.root in kinds), None):
            found.setdefault(each.code, set()).add(family)
    return found


def _drawing() -> str:
    return (errors.__doc__ or "").partition("\n\n")[2].strip()


def _below(root: type[EngineError]) -> Iterator[type[EngineError]]:
    yield root
    for child in root.__subclasses__():
        yield from _below(child)


def _import_everything() -> None:
    for name in _modules(("engine", "channels", "bot")):
        importlib.import_module(name)


def _modules(rooms: Iterable[str]) -> Iterator[str]:
    for room in rooms:
        package = importlib.import_module(room)
        for found in pkgutil.walk_packages(package.__path__, f"{room}."):
            # Programs of their own; the migrations are run by Alembic alone.
            if not {"bench", "demo", "migrations", "__main__"} & set(found.name.split(".")):
                yield found.name
