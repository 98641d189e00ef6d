"""Calls as values: what would be done and with what, named so that a restart finds it again."""

import importlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache, reduce
from types import MappingProxyType
from typing import Generic, TypeVar, final

from pydantic import BaseModel, ValidationError

from signoff.undoing import HttpUndo, Undo, undo_function

T_co = TypeVar("T_co", covariant=True)

_BY_POSITION = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Generic[T_co]):
    """A function and its arguments, to be approved before it is made; `run.call` makes one.

    `T_co` is what `run.step` returns for it.
    """

    fn: Callable[..., object]
    args: tuple[object, ...] = ()
    kwargs: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    undo: Undo | None = None

    @property
    def name(self) -> str:
        """The importable name of `fn`, as in `shop.refunds:pay_back`."""
        return importable_name(self.fn)

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of the positional arguments, in their order; those without one are left out."""
        signature = _signature(self.fn)
        named = () if signature is None else signature.parameters.values()
        by_position = [each.name for each in named if each.kind in _BY_POSITION]
        return tuple(by_position[: len(self.args)])

    def changed(self, changes: Mapping[str, object]) -> "Call[T_co]":
        """The same call with other values for arguments of these names; other names are no part of it."""
        names = self.parameters
        given = [changes.get(name, value) for name, value in zip(names, self.args, strict=False)]
        kwargs = {name: changes.get(name, value) for name, value in self.kwargs.items()}
        return replace(
            self, args=(*given, *self.args[len(names) :]), kwargs=MappingProxyType(kwargs)
        )

    def to_json(self) -> dict[str, object]:
        """Name and arguments: exactly what people approve. `undo` is no part of it."""
        arguments = {"args": list(self.args), "kwargs": dict(self.kwargs)}
        return {"name": self.name, "arguments": arguments}

    @classmethod
    def from_json(cls, data: Mapping[str, object], *, undo: Undo | None = None) -> "Call[object]":
        """What `to_json` gave, its function imported again.

        Raises:
            ValueError: if this is not such a call.
            ImportError: if its function is no longer there.
        """
        try:
            stored = _Stored.model_validate(data, strict=True)
        except ValidationError as error:
            raise ValueError(f"This is not a call: {error}") from None
        arguments = stored.arguments
        return make_call(resolve(stored.name), tuple(arguments.args), arguments.kwargs, undo=undo)


class _Arguments(BaseModel):
    args: list[object]
    kwargs: dict[str, object]


class _Stored(BaseModel):
    name: str
    arguments: _Arguments


def make_call(
    fn: Callable[..., object],
    args: tuple[object, ...],
    kwargs: Mapping[str, object],
    *,
    undo: Undo | None = None,
) -> Call[object]:
    """A call that can be made after a restart, too.

    Raises:
        ValueError: if `fn` or `undo` cannot be imported by name.
        TypeError: if `fn` does not take these arguments.
    """
    importable_name(fn)
    if undo is not None and not isinstance(taken_back := undo_function(undo), HttpUndo):
        importable_name(taken_back)
    check_arguments(fn, args, kwargs)
    return Call(fn=fn, args=args, kwargs=MappingProxyType(dict(kwargs)), undo=undo)


def check_arguments(
    fn: Callable[..., object], args: tuple[object, ...], kwargs: Mapping[str, object]
) -> None:
    """Return if `fn` takes these arguments, and before anything has happened.

    The keyword `step` is not the author's to give: the run fills it in.

    Raises:
        TypeError: otherwise, naming the function.
    """
    names = frozenset(kwargs)
    if takes_step(fn):
        if "step" in kwargs:
            raise TypeError(f"{stated_name(fn)}: `step` is filled in by the run; leave it out.")
        names |= {"step"}
    refusal = _refused(fn, len(args), names)
    if refusal is not None:
        raise TypeError(f"{stated_name(fn)} cannot be called like this: {refusal}.")


@lru_cache(maxsize=1024)
def _refused(fn: Callable[..., object], count: int, names: frozenset[str]) -> str | None:
    """Why `fn` does not take so many arguments by position and these by name, if it does not."""
    signature = _signature(fn)
    if signature is None:
        return None
    try:
        signature.bind(*[None] * count, **dict.fromkeys(names))
    except TypeError as error:
        return str(error)
    return None


@lru_cache(maxsize=1024)
def _signature(fn: Callable[..., object]) -> inspect.Signature | None:
    try:
        return inspect.signature(fn)
    except ValueError:  # some functions written in C do not tell
        return None


def takes_step(fn: Callable[..., object]) -> bool:
    """Whether `fn` has a keyword parameter `step` and so wants a `StepInfo`."""
    signature = _signature(fn)
    parameter = None if signature is None else signature.parameters.get("step")
    by_keyword = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return parameter is not None and parameter.kind in by_keyword


def importable_name(fn: Callable[..., object]) -> str:
    """`module:qualname`, under which `resolve` finds this very function in any process.

    Raises:
        ValueError: for whatever a restarted process could not find again: lambdas, nested
            functions, bound methods, partials, functions of the started script itself, and
            functions whose name now belongs to something else.
    """
    name = stated_name(fn)
    try:
        found = resolve(name)
    except ImportError as error:
        raise ValueError(f"{name} cannot be found again after a restart: {error}") from None
    if found is not fn:
        raise ValueError(
            f"{name} cannot be found again after a restart: that name now means something else. "
            "Pass the function that the module holds."
        )
    return name


def stated_name(fn: Callable[..., object]) -> str:
    """`module:qualname` as the function itself states it; whether it is found there is not asked.

    Raises:
        ValueError: for what has no name at a module's top level.
    """
    match getattr(fn, "__module__", None), getattr(fn, "__qualname__", None):
        case str() as module, str() as qualname:
            pass
        case _:
            raise ValueError(_refusal(repr(fn), "it has no name of its own"))
    if inspect.ismethod(fn):
        raise ValueError(_refusal(qualname, "it is bound to an object"))
    if "<lambda>" in qualname:
        raise ValueError(_refusal("A lambda", "it has no name"))
    if "<locals>" in qualname:
        raise ValueError(_refusal(qualname, "it lives inside another function"))
    if module == "__main__":
        raise ValueError(_refusal(qualname, "it lives in the script that was started (__main__)"))
    return f"{module}:{qualname}"


def resolve(name: str) -> Callable[..., object]:
    """The function under an importable name.

    Raises:
        ImportError: if the module, or the function in it, is not there.
    """
    module, _, qualname = name.partition(":")
    if not module or not qualname:
        raise ImportError(f"{name!r} is not an importable name such as shop.refunds:pay_back.")
    holder: object = importlib.import_module(module)
    try:
        found: object = reduce(getattr, qualname.split("."), holder)
    except AttributeError:
        raise ImportError(f"{module} has no {qualname}.") from None
    if callable(found):
        return found
    raise ImportError(f"{name} is not a function.")


def _refusal(what: str, why: str) -> str:
    return (
        f"{what} cannot be a step: {why}, and after a restart it must be found again. Use a "
        "function at the top level of a module."
    )


def takes_payload(effect: Callable[..., object]) -> bool:
    """Whether `effect` takes anything by its place, but for `step`."""
    by_place = (
        inspect.Parameter.POSITIONAL_ONLY,
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
        inspect.Parameter.VAR_POSITIONAL,
    )
    try:
        parameters = inspect.signature(effect).parameters
    except ValueError:  # some functions written in C do not tell
        return False
    return any(each.kind in by_place and name != "step" for name, each in parameters.items())
