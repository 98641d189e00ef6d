"""What the terminal hears: results on stdout, everything else on stderr, one sentence for what went wrong."""

import asyncio
import json
import sys
from collections.abc import Coroutine, Generator, Sequence
from contextlib import contextmanager
from enum import IntEnum
from typing import Annotated, Any, Final

import typer
from rich.console import Console, RenderableType

from channels.visible import visible
from engine.errors import Conflict, EngineError, Invalid, Refused
from signoff.errors import SignoffError

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout, for programs.")]

_UNREADABLE: Final = frozenset({400, 413, 415, 422})
_RENEW: Final = (
    "This environment is older than Signoff. In a clone, any `python3 -m bot …` renews it; "
    "elsewhere install Signoff again, with the extras that you use."
)
_SAID_NO: Final = frozenset({401, 403, 409})


class ExitCode(IntEnum):
    """How a command ended, for whoever called it."""

    DONE = 0
    FAILED = 1  # it could not be done: not there, not reachable, broken, or not successful
    USAGE = 2  # what was asked cannot be understood
    REFUSED = 3  # it was understood, and the rules, or what happened before, say no


class Stopped(Exception):
    """The command ends here, with a sentence for people and a code for programs."""

    def __init__(self, sentence: str, *, code: str, exit_code: ExitCode) -> None:
        super().__init__(sentence)
        self.code = code
        self.exit_code = exit_code


def usage(sentence: str, *, code: str = "usage") -> Stopped:
    """What to raise for words that cannot be understood."""
    return Stopped(sentence, code=code, exit_code=ExitCode.USAGE)


def finish(deed: Coroutine[Any, Any, ExitCode | None]) -> None:
    """Run `deed` to its end and leave with its exit code; what went wrong is told in a sentence."""
    with told():
        ended = asyncio.run(deed)
        if ended:
            raise typer.Exit(ended)


@contextmanager
def told() -> Generator[None]:
    """Turn whatever is raised inside into one sentence on stderr and an exit code: never a traceback."""
    try:
        yield
    except (typer.Exit, typer.Abort, typer.TyperException):
        raise
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    except Exception as error:  # border: whatever broke, a person at a terminal reads one sentence
        sentence, code, exit_code = _explained(_innermost(error))
        say(f"{sentence} [{code}]")
        raise typer.Exit(exit_code) from None


def say(text: str) -> None:
    """Tell the person something that is no result."""
    print(visible(text), file=sys.stderr, flush=True)


def print_json(value: object) -> None:
    """Print the result for programs, on one line."""
    # What JSON itself leaves as it is may still steer a terminal: C1 controls, bidi, line separators.
    text = json.dumps(value, ensure_ascii=False)
    print("".join(char if char.isprintable() else _escaped(char) for char in text), flush=True)


def _escaped(char: str) -> str:
    return json.dumps(char)[1:-1]


def print_line(text: str) -> None:
    """Print one line of result for people; text from outside cannot steer the terminal."""
    print(visible(text), flush=True)


def show(*pictures: RenderableType) -> None:
    """Print a result for people. Without a terminal it is plain text, and not cut to a width."""
    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console = Console(
            highlight=False, markup=False, emoji=False, width=160, no_color=True, soft_wrap=True
        )
    for picture in pictures:
        console.print(picture)


def _innermost(error: Exception) -> Exception:
    together: Sequence[Exception] = getattr(error, "exceptions", ())
    return _innermost(together[0]) if together else error


def _explained(error: Exception) -> tuple[str, str, ExitCode]:
    match error:
        case Stopped():
            return str(error), error.code, error.exit_code
        case SignoffError(code="bad_session"):
            return f"{error} Run `signoff login` again.", error.code, ExitCode.REFUSED
        case SignoffError():
            return str(error), error.code, _exit_code(error.status)
        case Invalid():
            return str(error), error.code, ExitCode.USAGE
        case Refused() | Conflict():
            return str(error), error.code, ExitCode.REFUSED
        case EngineError():
            return str(error), error.code, ExitCode.FAILED
        case ModuleNotFoundError():
            return f"{error}. {_RENEW}", "unexpected", ExitCode.FAILED
        case _:
            what = " ".join(str(error).split()) or "no reason given"
            return f"{type(error).__name__}: {what}", "unexpected", ExitCode.FAILED


def _exit_code(status: int) -> ExitCode:
    if status in _UNREADABLE:
        return ExitCode.USAGE
    return ExitCode.REFUSED if status in _SAID_NO else ExitCode.FAILED
