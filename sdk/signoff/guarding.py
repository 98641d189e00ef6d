"""Guards a plain function: called with the same arguments by whomever and however often, it is done once."""

import asyncio
import contextvars
import inspect
import json
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import wraps
from string import Formatter
from typing import Any, Final, ParamSpec, TypeVar, Unpack, cast
from weakref import WeakSet

from signoff.asking import AskTerms
from signoff.calls import takes_step
from signoff.client import Client
from signoff.effects import NoEffect
from signoff.receipts import EffectTerms, Receipt
from signoff.running import StepInfo

P = ParamSpec("P")
R = TypeVar("R")

NOT_TOLD: Final = frozenset({"self", "cls", "step"})

_GUARDED: Final[WeakSet[Callable[..., Any]]] = WeakSet()


class NotDone(Exception):
    """A guarded function was not run now; `receipt` says what is known."""

    def __init__(self, message: str, receipt: Receipt) -> None:
        super().__init__(message)
        self.receipt = receipt


class InDoubt(NotDone):
    """An earlier call began and nobody knows how it ended. Nobody repeats it before somebody has looked."""


class InProgress(NotDone):
    """Somebody else is at it, for longer than this call waits."""


class Blocked(NotDone):
    """The approval that it requires is not given, or was given for something else."""


class GuardTerms(EffectTerms, total=False):
    """What else may be said about a guarded function.

    `approval` are the terms of an approval that people must give first, with the arguments as its
    details; `title` is its title. `no_effect` are exceptions after which certainly nothing happened, so that the
    next call tries again. `hide` are parameters that are no part of what is kept and compared. `client` makes
    the client of the server.
    """

    approval: AskTerms
    title: str
    no_effect: tuple[type[Exception], ...]
    hide: Sequence[str]
    client: Callable[[], Client]


def guarded(
    action: str, key: str, **terms: Unpack[GuardTerms]
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Have the function, sync or async, done once for each `key`, such as `order-{order}-refund`.

    `key` is filled in with the arguments, and is the request id. A repeat returns what the first call
    returned, as JSON has it; with other arguments under the same key it is refused. What the function
    raises is raised to whoever called it, and kept: after `no_effect` exceptions, and `NoEffect`, the next call
    tries again, after any other nobody does. If it takes a keyword `step`, it gets the request id.

    Calls raise `InDoubt`, `InProgress` or `Blocked`, all of them `NotDone`, where it was not done and may not
    be now; `Rejected` and its like from an `approval`; and `SignoffError`, `request_id_conflict` among
    them. A method's object is no part of what is compared.

    Raises:
        TypeError: if `key` or `hide` names what is no parameter of the function, or the approval may
            change its arguments.
    """

    def decorate(fn: Callable[P, R]) -> Callable[P, R]:
        guard = _Guard(action=action, key=key, fn=fn, terms=terms)
        guard.check()
        if inspect.iscoroutinefunction(fn):

            @wraps(fn)
            async def waiting(*args: P.args, **kwargs: P.kwargs) -> Any:
                return await guard.call(args, kwargs)

            _GUARDED.add(waiting)
            return cast("Callable[P, R]", waiting)

        @wraps(fn)
        def blocking(*args: P.args, **kwargs: P.kwargs) -> R:
            result: R = finished(guard.call(args, kwargs))
            return result

        _GUARDED.add(blocking)
        return blocking

    return decorate


def is_guarded(fn: Callable[..., object]) -> bool:
    """Whether `fn` is what `guarded` made, or a method that it made of an object."""
    return getattr(fn, "__func__", fn) in _GUARDED


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    """What the function did in this very call, if it was called."""

    results: list[object] = field(default_factory=list[object])
    raised: list[Exception] = field(default_factory=list[Exception])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Guard:
    """One guarded function."""

    action: str
    key: str
    fn: Callable[..., object]
    terms: GuardTerms

    def check(self) -> None:
        """Return if it can be called; raises TypeError."""
        known = set(inspect.signature(self.fn).parameters)
        named = {name.partition(".")[0].partition("[")[0] for name in _fields(self.key)}
        for name in sorted(named | set(self.terms.get("hide", ()))):
            if name not in known:
                raise TypeError(f"{self.fn.__name__}() has no parameter {name!r}.")
        if self.terms.get("approval", {}).get("kind", "binary") != "binary":
            raise TypeError("The arguments of a guarded function are approved as they are.")

    async def call(self, args: tuple[object, ...], kwargs: Mapping[str, object]) -> Any:
        """What the function returns, or returned before."""
        given = self._bound(args, kwargs)
        request_id, payload = self.key.format_map(given), self._payload(given)
        made = _Made()
        async with self.terms.get("client", Client)() as client:
            terms = self._effect_terms()
            if (approval := self.terms.get("approval")) is not None:
                terms["requires"] = await self._approved(client, request_id, payload, approval)
            effect = self._effect(args, kwargs, made)
            receipt = await client.receipts.once(request_id, self.action, payload, effect, **terms)
        return _told(receipt, made)

    async def _approved(
        self, client: Client, request_id: str, payload: Mapping[str, object], approval: AskTerms
    ) -> str:
        title = self.terms.get("title", f"{self.action}: {request_id}?")[:200]
        stated: AskTerms = {"action": self.action, "details": payload, **approval}
        place = f"{self.terms.get('namespace', 'default')}:{request_id}"
        asked = await client.ask(title, idempotency_key=f"guard:{place}", **stated)
        decision = await client.wait(asked.id)
        if decision.digest != asked.digest:
            raise Blocked(
                f"{asked.id} was edited before people approved it, so they approved another call than "
                "this one. Call it with what they approved, under a key of its own.",
                Receipt(
                    ok=False,
                    reason="blocked:edited",
                    request_id=request_id,
                    action=self.action,
                    payload=payload,
                ),
            )
        return asked.id

    def _effect(
        self, args: tuple[object, ...], kwargs: Mapping[str, object], made: _Made
    ) -> Callable[..., object]:
        no_effect = self.terms.get("no_effect", ())

        async def effect(*, step: StepInfo) -> object:
            # In the caller's own thread: what it is used to, such as a session of it, is there.
            own = {"step": step} if takes_step(self.fn) and "step" not in kwargs else {}
            try:
                result = self.fn(*args, **kwargs, **own)
                made.results.append(await result if inspect.isawaitable(result) else result)
            except Exception as error:  # border: the author's function
                made.raised.append(error)
                if isinstance(error, no_effect):
                    raise NoEffect(str(error)) from error
                raise
            return made.results[0]

        return effect

    def _bound(self, args: tuple[object, ...], kwargs: Mapping[str, object]) -> dict[str, object]:
        bound = inspect.signature(self.fn).bind_partial(*args, **kwargs)
        bound.apply_defaults()
        return dict(bound.arguments)

    def _payload(self, given: Mapping[str, object]) -> dict[str, object]:
        hidden = NOT_TOLD | set(self.terms.get("hide", ()))
        payload = {name: value for name, value in given.items() if name not in hidden}
        try:
            whole: dict[str, object] = json.loads(json.dumps(payload, allow_nan=False))
        except (TypeError, ValueError) as error:
            raise TypeError(
                f"The arguments of {self.fn.__name__}() cannot be kept as JSON: {error}. Name those that "
                "are no part of what is done in hide=."
            ) from None
        return whole

    def _effect_terms(self) -> EffectTerms:
        known = EffectTerms.__annotations__
        found = {name: value for name, value in self.terms.items() if name in known}
        return cast("EffectTerms", found)


def _told(receipt: Receipt, made: _Made) -> object:
    if made.raised:
        raise made.raised[-1]
    if made.results:
        return made.results[-1]
    if receipt.ok:
        return receipt.result
    about = f"{receipt.action} under {receipt.request_id!r}"
    if receipt.reason == "in_progress":
        raise InProgress(f"Somebody else is at {about}.", receipt)
    if receipt.reason.startswith("blocked"):
        raise Blocked(f"{about} is not approved ({receipt.reason}).", receipt)
    raise InDoubt(
        f"Nobody knows whether {about} happened: {receipt.error or receipt.reason}. Look at the target, "
        "then settle it with `signoff receipts settle`.",
        receipt,
    )


def _fields(key: str) -> set[str]:
    return {name for _text, name, _form, _how in Formatter().parse(key) if name is not None}


def finished(call: Coroutine[Any, Any, Any]) -> Any:
    """What `call` returns, for whoever is not async: inside a loop, which that blocks anyhow, in a thread."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(call)
    context = contextvars.copy_context()
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(context.run, asyncio.run, call).result()
