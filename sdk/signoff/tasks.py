"""Functions that a workflow written in YAML or JSON may call by name: `@task` registers them."""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, TypeVar, overload

from signoff.calls import stated_name

F = TypeVar("F", bound=Callable[..., Any])

NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,99}")

_tasks: Final[dict[str, Callable[..., object]]] = {}


@overload
def task(fn: F, /) -> F: ...


@overload
def task(*, name: str) -> Callable[[F], F]: ...


def task(fn: F | None = None, /, *, name: str | None = None) -> F | Callable[[F], F]:
    """Let definitions call this function by its name, or by `name`, and return it unchanged.

    Raises:
        ValueError: for a function that is not at a module's top level, a malformed name, or one that
            another function has.
    """

    def register(function: F) -> F:
        called = str(getattr(function, "__name__", "")) if name is None else name
        place = stated_name(function)
        if NAME.fullmatch(called) is None:
            raise ValueError(
                f"{called!r} is no task's name. Use letters, digits, dot, dash and underscore."
            )
        taken = _tasks.get(called)
        if taken is not None and stated_name(taken) != place:
            raise ValueError(
                f"Two tasks are called {called}: {stated_name(taken)} and {place}. Give one of them "
                "another name: @task(name=...)."
            )
        _tasks[called] = function
        return function

    return register if fn is None else register(fn)


def tasks() -> Mapping[str, Callable[..., object]]:
    """Every task registered so far in this process, by name; grows as modules are imported."""
    return MappingProxyType(_tasks)
