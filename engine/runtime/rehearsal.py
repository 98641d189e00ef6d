"""A dry replay: whether code accepts what a run's journal remembers, while nothing is done and nothing written."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, NoReturn, TypeVar

from typing_extensions import override

from engine.clock import Clock
from engine.errors import WorkflowChanged
from engine.ids import Ids, LeaseToken, TenantId
from engine.runtime.asking import Asker
from engine.runtime.calling import Caller
from engine.runtime.context import RunContext
from engine.runtime.effects import Doubt
from engine.runtime.lingering import Nowhere
from engine.runtime.signals import Stopped
from engine.runtime.stepping import Stepper
from engine.runtime.wanted import Wanted
from engine.store.database import Database, Transaction
from engine.store.hints import Hints
from engine.store.journal import Entry, NewEntry
from engine.store.runs import Claim, RunRow
from signoff.registry import Workflow

T = TypeVar("T")

WITHIN: Final = timedelta(seconds=5)
_NOBODY: Final = LeaseToken("rehearsal")


class Reached(BaseException):
    """The code came to the end of the journal: what follows would be new."""


async def refusal(
    workflow: Workflow, run: RunRow, entries: Sequence[Entry], clock: Clock, ids: Ids
) -> str | None:
    """Why `workflow` does not fit the journal of `run`, in one sentence; None if it does.

    The code runs from the top as on every replay; no step, approval or sleep in it begins.
    """
    claim = Claim(run=run, token=_NOBODY, entries=list(entries))
    context = _Rehearsal(claim, database=_Nothing(), clock=clock, ids=ids)
    try:
        async with asyncio.timeout(WITHIN.total_seconds()):
            await workflow.fn(context, **workflow.parse(run.input))
    except TimeoutError:
        return f"It did not come to the end of the journal within {WITHIN.total_seconds():g} s."
    except ValueError as error:
        return f"Its input does not fit: {error}"
    except Stopped as stop:
        return str(stop.cause)
    except (Exception, Reached):  # border: however the author's code ends, what it asked for counts
        return _left_over(context)
    return _left_over(context)


def _left_over(context: RunContext) -> str | None:
    try:
        context.raise_stop()
        context.memory.check_all_asked()
    except WorkflowChanged as error:
        return str(error)
    except Reached:
        return None
    return None


class _Rehearsal(RunContext):
    """Answers from the journal, and ends where it does."""

    def __init__(self, claim: Claim, *, database: Database, clock: Clock, ids: Ids) -> None:
        super().__init__(claim, database=database, clock=clock, ids=ids)
        caller = Caller(claim, database)
        self._stepper = _NoStep(self._driven, self._pausing, clock, ids, caller)
        self.asker = _NoAsker(self._driven, self._pausing, claim)
        self._lingering = Nowhere(claim, self.memory, database, clock)


class _NoStep(Stepper):
    @override
    async def _begin(
        self, wanted: Wanted, number: int, asks: Mapping[str, object] | None
    ) -> NoReturn:
        raise Reached

    @override
    async def _resolve(self, wanted: Wanted, doubt: Doubt) -> NoReturn:
        raise Reached

    @override
    def _answered(self, wanted: Wanted, finished: NewEntry) -> NoReturn:
        raise Reached

    @override
    async def _until_due(self, wanted: Wanted, number: int) -> None:
        return

    @override
    async def _attempt(self, wanted: Wanted, number: int) -> NoReturn:
        raise Reached


class _NoAsker(Asker):
    @override
    async def _open(
        self, path: str, title: str, terms: Mapping[str, Any], known: Sequence[Entry]
    ) -> NoReturn:
        raise Reached


class _Nothing(Database):
    """Where nobody may write: whoever tries has come to something new."""

    @property
    @override
    def hints(self) -> Hints:
        raise Reached

    @override
    def of(self, tenant: TenantId) -> "_Nothing":
        return self

    @override
    def submit(self, deed: Callable[[Transaction], T]) -> NoReturn:
        raise Reached

    @override
    async def write(
        self, deed: Callable[[Transaction], T], *, within: timedelta | None = None
    ) -> NoReturn:
        raise Reached

    @override
    async def read(self, query: Callable[[Transaction], T]) -> NoReturn:
        raise Reached
