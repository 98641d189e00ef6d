"""One attempt of a step or a compensation: call foreign code, bounded in time, and say how it ended."""

import asyncio
import contextvars
import inspect
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import Any, Final

from pydantic import TypeAdapter

from engine.clock import Clock
from engine.digest import canonical
from engine.errors import EngineError, Invalid
from engine.failpoints import Boundary
from engine.rules.retry import parse_retries
from engine.runtime.signals import is_being_cancelled
from signoff.calls import takes_step
from signoff.options import Retries
from signoff.outcomes import Declined, NoEffect
from signoff.running import StepInfo

MESSAGE_CHARS_MAX = 2_000
# Threads of their own, made as they are needed: steps that hang there keep neither other runs waiting
# nor those who look up a name or close a file in the loop's few threads.
THREADS = ThreadPoolExecutor(max_workers=128, thread_name_prefix="signoff-step")


def _broken() -> Exception:
    return ConnectionResetError("The line broke.")


STEP: Final = Boundary("step", breaks=_broken)
UNDO: Final = Boundary("undo", breaks=_broken)
PROBE: Final = Boundary("probe", breaks=_broken)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why an attempt failed. `is_final` failures are not tried again; `no_effect` ones did nothing."""

    kind: str
    message: str
    no_effect: bool
    is_final: bool
    cause: BaseException

    def to_json(self) -> dict[str, object]:
        """The failure as journaled."""
        return {"type": self.kind, "message": self.message}

    def as_declared(self, retries: Retries | None) -> "Failure":
        """The failure, which did nothing where its author says so of its class."""
        if retries is None:
            return self
        is_harmless = not parse_retries(retries).no_effect.isdisjoint(self.classes)
        return replace(self, no_effect=True) if is_harmless else self

    @property
    def classes(self) -> frozenset[str]:
        """What it may be called in `retries`: by its kind, its class and those above, with or without module."""
        above = [each for each in type(self.cause).__mro__ if issubclass(each, BaseException)]
        named = {name for each in above for name in _names(each)}
        return frozenset({self.kind, *named})


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What is to be called. The request id is the same on every attempt."""

    fn: Callable[..., object]
    args: tuple[object, ...]
    kwargs: Mapping[str, object]
    request_id: str
    number: int
    timeout: timedelta | None
    returns: type[Any] | None = None
    said: list[Mapping[str, object]] = field(default_factory=list[Mapping[str, object]])
    boundary: Boundary = STEP


async def make(attempt: Attempt, clock: Clock) -> tuple[object, None] | tuple[None, Failure]:
    """The JSON result of one attempt, or its failure."""
    result, failure = await called(attempt, clock)
    if failure is not None:
        return None, failure
    try:
        return dumped(result, attempt.returns), None
    except Exception as error:  # border: a type adapter runs the author's serialisers
        words = Invalid(
            f"The result cannot be kept as JSON: {error}. Return JSON, or name its type with returns=.",
            code="bad_result",
        )
        return None, Failure(
            kind="bad_result", message=str(words), no_effect=False, is_final=True, cause=words
        )


async def called(attempt: Attempt, clock: Clock) -> tuple[object, None] | tuple[None, Failure]:
    """What one attempt returned, or its failure.

    A function that is not async runs in a thread. When its time is over the thread cannot be
    stopped: the attempt has failed, and what the function still does is its own affair.
    """
    kwargs = dict(attempt.kwargs)
    if takes_step(attempt.fn):
        deadline = None if attempt.timeout is None else clock.now() + attempt.timeout
        kwargs["step"] = StepInfo(
            request_id=attempt.request_id,
            attempt=attempt.number,
            deadline=deadline,
            said=attempt.said,
        )
    limit = None if attempt.timeout is None else attempt.timeout.total_seconds()
    try:
        async with asyncio.timeout(limit):
            foreign = _called(attempt.fn, attempt.args, kwargs)
            return await attempt.boundary.through(foreign), None
    except asyncio.CancelledError as error:
        if is_being_cancelled():
            raise
        return None, _failure(error)
    except (Exception, SystemExit) as error:  # border: a step is the author's code
        return None, _failure(error)


def dumped(result: Any, returns: type[Any] | None) -> object:
    """`result` as JSON.

    Raises:
        Invalid: if it is not JSON and no type says how to make it so.
    """
    value = result
    if returns is not None:
        adapter: TypeAdapter[Any] = TypeAdapter(returns)
        value = adapter.dump_python(result, mode="json")
    canonical(value)
    return value


def loaded(value: object, returns: type[Any] | None) -> object:
    """What `dumped` was given, as far as JSON and the type can tell."""
    return value if returns is None else TypeAdapter(returns).validate_python(value)


async def _called(
    fn: Callable[..., object], args: tuple[object, ...], kwargs: Mapping[str, object]
) -> object:
    if inspect.iscoroutinefunction(fn):
        return await fn(*args, **kwargs)
    loop, context = asyncio.get_running_loop(), contextvars.copy_context()
    result = await loop.run_in_executor(THREADS, partial(context.run, fn, *args, **kwargs))
    return await result if inspect.isawaitable(result) else result


def _names(error: type[BaseException]) -> tuple[str, str]:
    return error.__name__, f"{error.__module__}.{error.__qualname__}"


def _failure(error: BaseException) -> Failure:
    name = error.code if isinstance(error, EngineError) else type(error).__name__
    words = str(error) or name
    if isinstance(error, TimeoutError) and not str(error):
        words = "It took longer than its timeout."
    return Failure(
        kind=name,
        message=words[:MESSAGE_CHARS_MAX],
        no_effect=isinstance(error, NoEffect),
        is_final=isinstance(error, Declined),
        cause=error,
    )
