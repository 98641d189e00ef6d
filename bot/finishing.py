"""An executor that can be told to finish: what is driven goes on to its next wait, nothing new begins."""

import asyncio

from typing_extensions import override

from engine.runtime.executor import Executor
from engine.store.runs import Claim


class FinishingExecutor(Executor):
    """Drives as an `Executor` does, until it is told to finish."""

    _driven: int = 0
    _finishing: bool = False
    _idle: asyncio.Event | None = None

    @override
    async def drive(self, claim: Claim) -> None:
        """Drive the run; once finishing, leave it leased: its lease is freed at the next start."""
        if self._finishing:
            return
        self._driven += 1
        try:
            await super().drive(claim)
        finally:
            self._driven -= 1
            if self._idle is not None and not self._driven:
                self._idle.set()

    async def finish(self) -> None:
        """Begin nothing more, and return once nothing is driven any more."""
        self._finishing = True
        self._idle = asyncio.Event()
        if self._driven:
            await self._idle.wait()
