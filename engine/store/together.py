"""Deeds that wait together are done one after the other in one transaction, and committed together."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from engine.store.postgres_errors import unsure
from engine.store.work import Work

# One transaction is under way while the next waits for the server; more would only make each smaller.
LEADERS: Final = 2
BATCH_MAX: Final = 32  # bounds how long the first of them waits, and how long rows stay locked


class OnItsOwnError(Exception):
    """Nothing of these deeds was kept, because of one of them: each is to be done again alone."""


class Together:
    """Whoever waits for a transaction shares the next one.

    `commit` does some deeds in one transaction, and raises `OnItsOwnError` where they do not go together.
    What became of each is told to its work, and never to that of another.
    """

    def __init__(
        self,
        group: asyncio.TaskGroup,
        commit: Callable[[Sequence[Work[Any]]], Awaitable[None]],
    ) -> None:
        self._group, self._commit = group, commit
        self._waiting: deque[tuple[Work[Any], asyncio.Future[None]]] = deque()
        self._leading = 0

    async def do(self, work: Work[Any]) -> None:
        """Return once `work` is durable, or failed by itself.

        Raises:
            OnItsOwnError: when it is to be done again alone.
            NotRecorded: when the caller stops waiting while it is under way: it may still land.
        """
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        place = (work, done)
        self._waiting.append(place)
        self._lead()
        try:
            await done
        except asyncio.CancelledError:
            if place not in self._waiting:
                raise unsure() from None
            self._waiting.remove(place)
            raise

    def _lead(self) -> None:
        while self._waiting and self._leading < LEADERS:
            count = min(BATCH_MAX, len(self._waiting))
            batch = [self._waiting.popleft() for _ in range(count)]
            self._leading += 1
            self._group.create_task(self._do_all(batch))

    async def _do_all(self, batch: Sequence[tuple[Work[Any], asyncio.Future[None]]]) -> None:
        error: BaseException | None = None
        try:
            await self._commit([work for work, _done in batch])
        except Exception as raised:  # border: whatever the store says, each of them is told
            error = raised
        except asyncio.CancelledError:
            error = unsure()
            raise
        finally:
            self._leading -= 1
            for _work, done in batch:
                _tell(done, error)
            self._lead()


def _tell(done: asyncio.Future[None], error: BaseException | None) -> None:
    if done.done():
        return
    if error is None:
        done.set_result(None)
    else:
        done.set_exception(error)
