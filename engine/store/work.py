"""One deed on its way through the writer: what to run, who waits for it, and what became of it."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, Generic, TypeVar

from engine.errors import NotRecorded
from engine.failpoints import is_armed
from engine.store.database import Transaction
from engine.store.naming import named

T = TypeVar("T")


class Work(Generic[T]):
    """A deed and its caller's future. `run` and `fail` belong to the writer, `settle` to the event loop.

    `riders` are those who went along with it, where the writer does not keep them itself.
    """

    __slots__ = ("_answer", "_error", "_result", "deed", "deeds", "hints", "riders")

    def __init__(self, deed: Callable[[Transaction], T], answer: asyncio.Future[T]) -> None:
        self.deed, self._answer = deed, answer
        self._result: list[T] = []
        self._error: BaseException | None = None
        self.hints: set[str] = set()
        self.deeds: set[str] = set()
        self.riders: Sequence[Work[Any]] = ()

    @property
    def failed(self) -> bool:
        return self._error is not None

    def run(self, transaction: Transaction) -> None:
        """Do the deed, if need be once more; its answer is handed over only after the commit."""
        self._error = None
        deed = self.deed
        self._result = [named(deed, transaction) if is_armed() else deed(transaction)]
        self.hints, self.deeds = transaction.hints, transaction.deeds

    def succeed(self, result: T) -> None:
        """Remember what came of it, where it was no deed."""
        self._error, self._result = None, [result]

    def fail(self, error: BaseException) -> None:
        """Remember that nothing of the deed was kept."""
        if isinstance(error, StopIteration):
            # A future cannot hold it, and whoever shares the commit would never hear of theirs.
            error = RuntimeError(f"A deed ran out of values: {error!r}")
        self._error = error

    def settle(self) -> None:
        """Tell the caller, unless it has gone."""
        if self._answer.done():
            return
        if self._error is not None:
            self._answer.set_exception(self._error)
        else:
            self._answer.set_result(self._result[0])


def forget(answer: asyncio.Future[T]) -> None:
    """Hear of a late failure in place of a caller that was cancelled, or told "not confirmed"."""
    if not answer.cancelled():
        answer.exception()


async def confirmed(answer: asyncio.Future[T], within: timedelta | None) -> T:
    """What the deed answered. Whoever stops waiting for it does not stop the deed: it answers nobody then.

    Raises:
        NotRecorded: when `within` passed without an answer.
    """
    if within is None:
        return await answer
    try:
        async with asyncio.timeout(within.total_seconds()):
            return await answer
    except TimeoutError:
        raise NotRecorded("Not confirmed. Press again: it counts once.") from None
