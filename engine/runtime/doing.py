"""What a run does to the world: its steps and its HTTP requests, in the order in which its code asks."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar, Unpack

from engine.http import TOTAL
from engine.runtime.beginnings import length_of
from engine.runtime.calling import NOTHING_ALONG, Sending, http_call, name_of_request
from engine.runtime.keeping import Keeper
from engine.runtime.memory import Memory
from engine.runtime.stepping import Stepper
from engine.runtime.turns import Turn
from engine.runtime.wanted import Wanted, name_of
from engine.store.journal import Entry
from signoff.calls import Call, make_call
from signoff.http import REQUEST, HttpAnswer, HttpOptions
from signoff.options import Duration, StepOptions, as_step
from signoff.undoing import Undo

T = TypeVar("T")


class Doing(ABC):
    """The part of a run's context that does things."""

    memory: Memory
    _stepper: Stepper
    _keeper: Keeper

    @abstractmethod
    def _one_at_a_time(self) -> Turn:
        """A turn for the next deed."""

    @abstractmethod
    async def _answered(
        self, path: str, asked: tuple[str, str], deed: Callable[[Sequence[Entry]], Awaitable[T]]
    ) -> T:
        """What `deed` answers at `path`, which is asked for as a kind and a name.

        In a branch it is asked again once its wait is over, for as long as others go on.
        """

    def call(
        self,
        fn: Callable[..., Any],
        *args: object,
        undo: Undo | None = None,
        **kwargs: object,
    ) -> Call[Any]:
        return make_call(fn, args, kwargs, undo=undo)

    async def step(self, fn: Call[Any] | Callable[..., Any], *args: object, **kwargs: Any) -> Any:
        options, arguments = StepOptions.split(kwargs)
        return await self._perform(as_step(fn, args, arguments, undo=options.undo), options)

    async def http(
        self,
        method: str,
        url: str,
        *,
        json: object = None,
        headers: Mapping[str, str] | None = None,
        timeout: Duration | None = None,
        **options: Unpack[HttpOptions],
    ) -> HttpAnswer:
        call = http_call(method, url, json, undo=options.get("undo"))
        chosen = replace(StepOptions(name=name_of_request(method, url)), **options)
        sending = Sending(headers=headers or {}, timeout=length_of(timeout) or TOTAL)
        sent: HttpAnswer = await self._perform(call, chosen, sending)
        return sent

    async def _perform(
        self, call: Call[Any], stated: StepOptions, sending: Sending = NOTHING_ALONG
    ) -> Any:
        options = replace(stated, returns=HttpAnswer) if call.fn is REQUEST else stated
        async with self._one_at_a_time() as path:

            async def done(known: Sequence[Entry]) -> object:
                wanted = Wanted(path=path, call=call, options=options, known=known, sending=sending)
                await self._keeper.before_step(wanted)
                return await self._stepper.step(wanted)

            return await self._answered(path, ("step", name_of(call, options)), done)
