"""Fires due rungs: where many are due, before anything that follows from them is taken up."""

from datetime import timedelta
from typing import Final

from engine.runtime.faults import in_spite_of_faults
from engine.runtime.pace import Pace
from engine.services import rungs
from engine.store.database import Database

MANY: Final = rungs.BATCH_MAX  # fired by one deed: there may be more
TICK: Final = timedelta(milliseconds=10)  # between two looks where there was nothing to fire


class Firing:
    """One worker's eye on the time. Any number of them may look at once: what one fires, no other does."""

    def __init__(self, database: Database, pace: Pace) -> None:
        self._database, self._pace = database, pace

    async def for_ever(self) -> None:
        """Fire whatever becomes due, until cancelled.

        While there is more than one deed takes, no run is taken up in this process and nothing is
        delivered, but for a turn now and then: ten thousand people hear late, and none of them too
        late, that time has decided.
        """
        hints = self._database.hints
        with hints.listen("timers") as ear:
            while True:
                if await self.once() >= MANY:
                    with hints.decisions.going_first():
                        while await self.once() >= MANY:
                            pass
                await ear.wait(await self._patience())

    async def _patience(self) -> timedelta:
        """Until the next rung is due: whoever only polled would be late by half a poll."""
        soon = await in_spite_of_faults(self._database.read(rungs.due_in), None)
        at_most = self._pace.poll_every
        return at_most if soon is None else min(max(soon, TICK), at_most)

    async def once(self) -> int:
        """Fire for the length of one deed; gives how many rungs there were."""
        return await in_spite_of_faults(self._database.write(rungs.fire_due), 0)
