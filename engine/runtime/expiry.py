"""Sees that cases are given up once their time is over, and claims of which nobody was heard doubted."""

from datetime import timedelta
from typing import Final

from engine.runtime.faults import in_spite_of_faults
from engine.services import expiring
from engine.store.database import Database

LOOK_EVERY: Final = timedelta(seconds=5)


class Expiry:
    """Any number of workers may look at once: what one has taken, the others leave alone."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def for_ever(self) -> None:
        """Look again and again, until cancelled."""
        with self._database.hints.listen("never") as ear:
            while True:
                if await self.once() < expiring.BATCH_MAX:
                    await ear.wait(LOOK_EVERY)

    async def once(self) -> int:
        """Give up what is due now; says how many there were."""
        return await in_spite_of_faults(self._database.write(expiring.expire_due), 0)
