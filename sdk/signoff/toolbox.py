"""Guarded functions as the tools of a model: defined for it, called by it, and answered in words it can act on."""

import asyncio
import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from types import SimpleNamespace
from typing import Any, Final, TypeGuard, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from signoff.calls import takes_step
from signoff.effects import NoEffect
from signoff.errors import SignoffError
from signoff.guarding import Blocked, InDoubt, InProgress, NotDone, is_guarded
from signoff.outcomes import ApprovalEnded, ChangesRequested

Function = Callable[..., Any]

ENDED: Final = (ApprovalEnded, NotDone, NoEffect)
# A framework that reads and writes out arguments does so under the names that they have.
_CLOSED: Final = ConfigDict(extra="forbid", serialize_by_alias=True)
TOLD: Final = frozenset({"request_id_conflict", "kill_switch"})


class Toolbox:
    """Functions that a model may call; those that act on the world are guarded, all of them.

    `acts` are functions made with `signoff.guarding.guarded`: whatever the model repeats is done once, after
    people were asked where the guard says so. `reads` are plain functions that change nothing. `given` are
    arguments that the program gives, in every function that has such a parameter; no model is told of them.

    What a model cannot mend is raised, and not told to it: what a function raises by itself, and a server
    that is away or refuses the key.

    Raises:
        TypeError: for a function among `acts` that is not guarded, two of one name, a parameter without a
            type or that cannot be given by name, and a `given` that no function has.
    """

    def __init__(
        self,
        *acts: Function,
        reads: Sequence[Function] = (),
        given: Mapping[str, object] | None = None,
    ) -> None:
        for each in acts:
            if not is_guarded(each):
                raise TypeError(
                    f"{each.__name__}() is not guarded, so a model that repeats itself would do it twice. "
                    "Put @guarded above it, or name it in reads= if it changes nothing."
                )
        own = dict(given or {})
        self._tools: dict[str, _Tool] = {}
        for each in (*acts, *reads):
            if each.__name__ in self._tools:
                raise TypeError(f"There are two tools of the name {each.__name__}.")
            self._tools[each.__name__] = _tool(each, own)
        if unknown := own.keys() - {name for each in self._tools.values() for name in each.given}:
            raise TypeError(f"No tool has a parameter {min(unknown)!r}.")

    @property
    def functions(self) -> list[Function]:
        """The tools as functions that return text, for a framework's own decorator.

        LangChain's `tool`, `function_tool` of OpenAI's agents, Anthropic's `beta_tool` and
        `beta_async_tool`, and the `tool()` of an MCP server read name, parameters and docstring.
        """
        return [each.function for each in self._tools.values()]

    def for_openai(self) -> list[dict[str, Any]]:
        """What `tools=` of OpenAI's chat completions takes."""
        return [
            {"type": "function", "function": each.described("parameters")}
            for each in self._tools.values()
        ]

    def for_openai_responses(self) -> list[dict[str, Any]]:
        """What `tools=` of OpenAI's responses takes."""
        return [
            {"type": "function", "strict": False, **each.described("parameters")}
            for each in self._tools.values()
        ]

    def for_anthropic(self) -> list[dict[str, Any]]:
        """What `tools=` of Anthropic's messages takes."""
        return [each.described("input_schema") for each in self._tools.values()]

    def for_crewai(self) -> list[Any]:
        """What `tools=` of a CrewAI agent takes. It asks each time: CrewAI keeps no answer of theirs.

        Raises:
            ModuleNotFoundError: where CrewAI is not installed.
        """
        from signoff.crew import crew_tool

        return [
            crew_tool(name, inspect.getdoc(each.function) or "", each.arguments, self.answer)
            for name, each in self._tools.items()
        ]

    async def answer(self, name: str, arguments: str | Mapping[str, object]) -> str:
        """What to tell the model that called the tool `name`; `arguments` as it gave them, JSON or read.

        A result is told as JSON, a text as it is. A tool that is not there, arguments that are wrong, and
        everything for which the guard did not do it are told in a sentence.
        """
        tool = self._tools.get(name)
        if tool is None:
            return f"There is no tool {name!r}. There are: {', '.join(self._tools)}."
        try:
            named = json.loads(arguments or "{}") if isinstance(arguments, str) else arguments
        except ValueError as error:
            return f"Not done: the arguments are not JSON ({error})."
        if not _is_object(named):
            return "Not done: the arguments are a JSON object, by name."
        return await tool.called(named)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tool:
    """One function as a model sees it."""

    function: Function
    given: frozenset[str]
    arguments: type[BaseModel]

    def described(self, parameters: str) -> dict[str, Any]:
        says = {"name": self.function.__name__, "description": inspect.getdoc(self.function) or ""}
        schema = self.arguments.model_json_schema()
        return {**says, parameters: {key: schema[key] for key in schema if key != "title"}}

    async def called(self, named: Mapping[str, Any]) -> str:
        try:
            read = self.arguments.model_validate(dict(named))
        except ValidationError as error:
            return _wrong(error)
        fields = self.arguments.model_fields
        given = {str(fields[each].alias): getattr(read, each) for each in fields}
        if inspect.iscoroutinefunction(self.function):
            return str(await self.function(**given))
        return str(await asyncio.to_thread(self.function, **given))


def _tool(fn: Function, own: Mapping[str, object]) -> _Tool:
    signature = inspect.signature(fn)
    given = {name: value for name, value in own.items() if name in signature.parameters}
    left_out = {*given, *(["step"] if takes_step(fn) else [])}
    left = [each for name, each in signature.parameters.items() if name not in left_out]
    by_name = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    for each in left:
        if each.kind not in by_name or each.annotation is each.empty:
            raise TypeError(f"{fn.__name__}(): a model gives {each} by name; write out its type.")
    hints = _types(fn, left)
    shown = [each.replace(annotation=hints[each.name]) for each in left]
    asked = signature.replace(parameters=shown, return_annotation=str)
    function = _telling(fn, asked, given)
    # Whoever reads the function, a framework among them, sees only what the model gives.
    function.__dict__["__signature__"] = asked
    function.__annotations__ = {**hints, "return": str}
    # Numbered fields with the real names as aliases: pydantic would refuse `_x` and warn at `copy`.
    fields: dict[str, Any] = {f"argument_{index}": _field(each) for index, each in enumerate(shown)}
    model = create_model(fn.__name__, __config__=_CLOSED, **fields)
    return _Tool(function=function, given=frozenset(given), arguments=model)


def _types(fn: Function, shown: Sequence[inspect.Parameter]) -> dict[str, Any]:
    written = SimpleNamespace(__annotations__={each.name: each.annotation for each in shown})
    known = getattr(inspect.unwrap(fn), "__globals__", {})
    return get_type_hints(written, globalns=known, include_extras=True)


def _field(parameter: inspect.Parameter) -> tuple[Any, Any]:
    default = ... if parameter.default is parameter.empty else parameter.default
    return parameter.annotation, Field(default, alias=parameter.name)


def _telling(fn: Function, asked: inspect.Signature, given: Mapping[str, object]) -> Function:
    if inspect.iscoroutinefunction(fn):

        @wraps(fn)
        async def waiting(*args: Any, **kwargs: Any) -> str:
            named = asked.bind(*args, **kwargs).arguments
            try:
                return _said(await fn(**named, **given))
            except (*ENDED, SignoffError) as error:
                return _why(error)

        return waiting

    @wraps(fn)
    def blocking(*args: Any, **kwargs: Any) -> str:
        named = asked.bind(*args, **kwargs).arguments
        try:
            return _said(fn(**named, **given))
        except (*ENDED, SignoffError) as error:
            return _why(error)

    return blocking


def _said(result: object) -> str:
    return (
        result if isinstance(result, str) else json.dumps(result, ensure_ascii=False, default=str)
    )


def _why(error: Exception) -> str:
    match error:
        case ChangesRequested():
            return f"Not done. {error} Change what is asked for, and call again."
        case ApprovalEnded():
            return f"Not done. {error} Do not call it again with these arguments."
        case InDoubt():
            return f"Not done again. {error} Do not call it again; a person has to look."
        case InProgress():
            return f"Not done now. {error} Call it again later, with the same arguments."
        case Blocked():
            return f"Not done. {error}"
        case NoEffect():
            return f"Nothing was done: {error}. It may be called again."
        case SignoffError() if error.code in TOLD:
            return f"Not done. {error}"
        case _:
            raise error


def _is_object(read: object) -> TypeGuard[Mapping[str, Any]]:
    return isinstance(read, Mapping)


def _wrong(error: ValidationError) -> str:
    found = (f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
    return f"Not done: the arguments are wrong ({'; '.join(found)})."
