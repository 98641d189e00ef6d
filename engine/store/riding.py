"""A deed that waits for something to be hinted at, and is done in the very transaction that does it."""

import asyncio
from collections.abc import Callable
from typing import Any

from typing_extensions import override

from engine.store.database import Transaction
from engine.store.hints import Ear
from engine.store.work import Work


class Rider(Work[Any]):
    """Waits among `Hints.riders`. `ear` listens to the same topic: once the rider is answered,
    `heard` says how often it had rung by then, so that more rings mean that something came later.
    One that failed has heard of nothing.
    """

    __slots__ = ("_ear", "_known", "answer", "has_boarded", "heard")

    def __init__(self, deed: Callable[[Transaction], Any], ear: Ear) -> None:
        self.answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        super().__init__(deed, self.answer)
        self._ear, self.heard, self.has_boarded = ear, 0, False
        self._known: int | None = None

    def board_beside_others(self) -> None:
        """Where others commit meanwhile, it knows what rang before, and its own transaction's ring."""
        self._known = self._ear.rings + 1

    @override
    def settle(self) -> None:
        """Called behind the hints of its transaction, so that these count as heard."""
        heard = self._ear.rings if self._known is None else self._known
        self.heard = -1 if self.failed else heard
        super().settle()
