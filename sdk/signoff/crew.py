"""Tools for a CrewAI agent: called by it however it likes, and answered by a toolbox."""

from collections.abc import Awaitable, Callable
from importlib import import_module
from types import new_class
from typing import Any

from pydantic import BaseModel

from signoff.guarding import finished

Answers = Callable[[str, dict[str, Any]], Awaitable[str]]


def crew_tool(name: str, description: str, arguments: type[BaseModel], answers: Answers) -> Any:
    """A `BaseTool` of CrewAI of this name, whose every call is answered by `answers`.

    Raises:
        ModuleNotFoundError: where CrewAI is not installed.
    """
    base: Any = import_module("crewai.tools").BaseTool

    async def told(named: dict[str, Any]) -> str:
        return await answers(name, named)

    def run(_tool: object, **named: Any) -> Any:
        return finished(told(named))

    async def run_async(_tool: object, **named: Any) -> Any:
        return await told(named)

    own = {"__module__": __name__, "_run": run, "_arun": run_async}
    made: Any = new_class("GuardedTool", (base,), exec_body=lambda body: body.update(own))
    return made(name=name, description=description, args_schema=arguments, cache_function=_is_kept)


def _is_kept(*_call: object) -> bool:
    # What was told is how it stood then: "somebody is at it", "the bank is closed". Receipts remember.
    return False
