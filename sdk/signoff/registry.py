"""Which workflows there are: `@workflow` registers them; their signature checks their input."""

import importlib
import inspect
import re
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType, SimpleNamespace
from typing import Any, Concatenate, Final, ParamSpec, TypeVar, get_type_hints, overload

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PydanticSchemaGenerationError,
    ValidationError,
    create_model,
)

from signoff.calls import stated_name
from signoff.manners import PLAIN, Checkpoints, Manner, OnFailure
from signoff.running import Run
from signoff.tasks import tasks

P = ParamSpec("P")
T = TypeVar("T")

WorkflowFunction = Callable[Concatenate[Run, P], Coroutine[Any, Any, T]]
AnyWorkflow = Callable[..., Coroutine[Any, Any, object]]

NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
POSITIONAL: Final = (
    inspect.Parameter.POSITIONAL_ONLY,
    inspect.Parameter.POSITIONAL_OR_KEYWORD,
)
NAMED: Final = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
VERSION: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,99}")

_versions: Final[dict[str, dict[str, "Workflow"]]] = {}
_registered: Final[dict[str, "Workflow"]] = {}  # the newest version of each


@dataclass(frozen=True, slots=True, kw_only=True)
class Workflow:
    """A registered workflow. A run keeps the version it began with, and new ones begin with this.

    `others` are the versions of it that are only kept for the runs that began with them.
    """

    name: str
    version: str
    fn: AnyWorkflow
    input_model: type[BaseModel]
    others: tuple["Workflow", ...] = ()
    manner: Manner = PLAIN

    def parse(self, given: Mapping[str, object]) -> dict[str, object]:
        """The keyword arguments for `fn`: `given` checked and converted, defaults filled in.

        Raises:
            ValueError: with one sentence for every field that is wrong, missing or unknown.
        """
        try:
            parsed = self.input_model.model_validate(dict(given))
        except ValidationError as error:
            raise ValueError(self._what_is_wrong(error)) from None
        fields = self.input_model.model_fields
        return {field.alias or name: getattr(parsed, name) for name, field in fields.items()}

    def _what_is_wrong(self, error: ValidationError) -> str:
        sentences = (
            f"{'.'.join(str(part) for part in found['loc'])}: "
            + (
                f"{self.name} has no such input."
                if found["type"] == "extra_forbidden" and len(found["loc"]) == 1
                else f"{found['msg']}."
            )
            for found in error.errors(include_url=False, include_input=False)
        )
        return "\n".join(sentences)


@overload
def workflow(fn: WorkflowFunction[P, T], /) -> WorkflowFunction[P, T]: ...


@overload
def workflow(
    *,
    name: str | None = None,
    version: str = "1",
    max_rollbacks: int = 3,
    on_failure: OnFailure = "fail",
    checkpoints: Checkpoints | None = None,
) -> Callable[[WorkflowFunction[P, T]], WorkflowFunction[P, T]]: ...


def workflow(
    fn: WorkflowFunction[P, T] | None = None,
    /,
    *,
    name: str | None = None,
    version: str = "1",
    max_rollbacks: int = 3,
    on_failure: OnFailure = "fail",
    checkpoints: Checkpoints | None = None,
) -> WorkflowFunction[P, T] | Callable[[WorkflowFunction[P, T]], WorkflowFunction[P, T]]:
    """Register an async function whose first parameter is the run, and return it unchanged.

    Its other parameters are the workflow's input; their types check it. Raise `version` when
    waiting runs must not continue with the new code: they wait for a process that holds theirs. Two
    functions in one package may be versions of one workflow, each with the same `name` and its own
    `version`; new runs begin with the greatest, where 10 comes after 9.

    A run goes back and on again by itself at most `max_rollbacks` times; after that it ends. What
    becomes of one that fails says `on_failure`: `fail` leaves what it did, `rollback` undoes it,
    `resume` goes on from its latest checkpoint; or one of these for each class of failure by its name,
    and `*` for all others. With `checkpoints`, one is made before every approval (`approvals`), and
    also before every step that has an undo or uses a decision (`steps`).

    Raises:
        ValueError: for other terms than these, for a function that is not async, that a restarted
            process would not find again, whose input cannot be checked, or whose name is malformed, or
            taken in this version.
    """
    manner = Manner(max_rollbacks=max_rollbacks, on_failure=on_failure, checkpoints=checkpoints)

    def register(function: WorkflowFunction[P, T]) -> WorkflowFunction[P, T]:
        _register(function, name=name, version=version, manner=manner)
        return function

    return register if fn is None else register(fn)


def registered() -> Mapping[str, Workflow]:
    """Every workflow registered so far in this process, by name; grows as modules are imported."""
    return MappingProxyType(_registered)


def called(
    workflow: str | AnyWorkflow, args: tuple[object, ...], kwargs: Mapping[str, object]
) -> tuple[str, dict[str, object]]:
    """The name of a workflow that is called like this, and its input by name.

    Raises:
        TypeError: if it does not take these arguments.
        ValueError: if it is not registered.
    """
    if isinstance(workflow, str):
        return workflow, dict(kwargs)
    for known in _registered.values():
        if workflow in {each.fn for each in (known, *known.others)}:
            try:
                bound = inspect.signature(workflow).bind(None, *args, **kwargs)
            except TypeError as error:
                raise TypeError(f"{known.name} cannot be started like this: {error}.") from None
            return known.name, dict(list(bound.arguments.items())[1:])
    raise ValueError(f"{workflow!r} is no workflow. Put @workflow above it.")


def load(modules: Iterable[str]) -> Mapping[str, Workflow]:
    """Import `modules` and return the workflows they, their submodules or their names hold.

    What a module itself raises while it is imported passes through.

    Raises:
        ImportError: if a module does not exist, or holds neither workflow nor task.
    """
    found: dict[str, Workflow] = {}
    for module in modules:
        found |= _load_one(module)
    return MappingProxyType(found)


def _load_one(name: str) -> Mapping[str, Workflow]:
    try:
        held = list(vars(importlib.import_module(name)).values())
    except ModuleNotFoundError as missing:
        if missing.name is None or not f"{name}.".startswith(f"{missing.name}."):
            raise
        raise ImportError(
            f"There is no module {name}: {missing.name} was not found. Name it as in an import "
            "statement, and start from the folder that holds it."
        ) from None
    found = {
        known.name: known
        for known in _registered.values()
        for fn in (known.fn, *(other.fn for other in known.others))
        if f"{fn.__module__}.".startswith(f"{name}.") or any(fn is item for item in held)
    }
    if not found and not any(f"{fn.__module__}.".startswith(f"{name}.") for fn in tasks().values()):
        raise ImportError(
            f"{name} holds no workflow. Put @workflow above an async function in it, or @task above "
            "what definitions call."
        )
    return found


def _register(fn: AnyWorkflow, *, name: str | None, version: str, manner: Manner) -> None:
    place = stated_name(fn)
    if not inspect.iscoroutinefunction(fn):
        raise ValueError(f"{place} is not async. Write `async def`, so that it can wait.")
    name = fn.__name__ if name is None else name
    if not NAME.fullmatch(name):
        raise ValueError(
            f"{name!r} is not a workflow's name. Use a-z, 0-9, dot, dash and underscore, beginning "
            "with a letter or digit: @workflow(name='refund')."
        )
    if not VERSION.fullmatch(version):
        raise ValueError(
            f"{version!r} is not a workflow's version. Write it like '2' or '2026-11'."
        )
    known = _versions.setdefault(name, {})
    for taken in known.values():
        # Versions of one workflow live in one package; elsewhere the same name is an accident.
        is_related = version != taken.version and _package(fn) == _package(taken.fn)
        if stated_name(taken.fn) != place and not is_related:
            raise ValueError(
                f"Two workflows are called {name}: {stated_name(taken.fn)} and {place}. Give one "
                "of them another name, @workflow(name=...), or another version, version=."
            )
    model = _input_model(fn)
    for before in [each for each, held in known.items() if stated_name(held.fn) == place]:
        del known[before]  # its module was imported again
    known[version] = Workflow(name=name, version=version, fn=fn, input_model=model, manner=manner)
    *others, newest = sorted(known.values(), key=lambda each: _order(each.version))
    _registered[name] = replace(newest, others=tuple(others)) if others else newest


def _package(fn: AnyWorkflow) -> str:
    return fn.__module__.partition(".")[0]


def _order(version: str) -> list[tuple[int, str]]:
    """Where a version stands among others: its numbers count as numbers."""
    pieces = re.findall(r"[0-9]+|[^0-9]+", version)
    return [(int(piece), "") if piece.isdigit() else (-1, piece) for piece in pieces]


def _input_model(fn: AnyWorkflow) -> type[BaseModel]:
    parameters = list(inspect.signature(fn).parameters.values())
    if not parameters or parameters[0].kind not in POSITIONAL:
        raise ValueError(f"{stated_name(fn)} takes no run. Its first parameter must be `run: Run`.")
    inputs = parameters[1:]
    for parameter in inputs:
        if parameter.kind not in NAMED:
            raise ValueError(f"{stated_name(fn)}: write out the input instead of {parameter}.")
        if parameter.annotation is parameter.empty:
            raise ValueError(f"{stated_name(fn)}: say the type of {parameter.name}.")
    types = _types(fn, inputs)
    # Numbered fields with the real names as aliases: pydantic would refuse `_x` and warn at `copy`.
    fields: dict[str, Any] = {
        f"input_{index}": (types[parameter.name], _field(parameter))
        for index, parameter in enumerate(inputs)
    }
    strict = ConfigDict(extra="forbid", frozen=True)
    try:
        return create_model(f"{fn.__name__}_input", __config__=strict, **fields)
    except PydanticSchemaGenerationError as error:
        why = str(error).partition(". ")[0]
        raise ValueError(f"{stated_name(fn)}: its input cannot be checked: {why}.") from None


def _field(parameter: inspect.Parameter) -> Any:
    if parameter.default is parameter.empty:
        return Field(alias=parameter.name)
    return Field(alias=parameter.name, default=parameter.default)


def _types(fn: AnyWorkflow, inputs: Iterable[inspect.Parameter]) -> Mapping[str, Any]:
    annotations = {parameter.name: parameter.annotation for parameter in inputs}
    try:
        return get_type_hints(
            SimpleNamespace(__annotations__=annotations),
            globalns=getattr(fn, "__globals__", {}),
            include_extras=True,
        )
    except NameError as error:
        raise ValueError(
            f"{stated_name(fn)}: {error}. The types of its input must be defined above it, and "
            "imported outside `if TYPE_CHECKING`."
        ) from None
