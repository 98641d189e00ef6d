"""Which kill switches are engaged, as this process knows it: looked up twice a second, and at every hint."""

from datetime import timedelta
from typing import Final

import structlog

from engine.errors import Unavailable
from engine.rules.switches import EVERYTHING, above
from engine.services import halting
from engine.store.database import Database
from engine.store.runs import Claim
from engine.store.switches import beneath

POLL_EVERY: Final = timedelta(milliseconds=500)

log = structlog.get_logger("engine.runtime")


class Halts:
    """What every step of this process asks before it begins. Asking costs no statement.

    The truth is in the store: what has an intent of its own asks there once more, in the transaction
    in which it begins. While the store is away nothing is forgotten.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._engaged: frozenset[tuple[str, str]] = frozenset()
        self._may_free = True  # runs that were halted before this process began

    def is_above(self, claim: Claim) -> bool:
        """Whether a switch that is known to be engaged stands above the run, or above who started it."""
        if not self._engaged:
            return False
        run = claim.run
        scopes = {
            scope for tenant, scope in self._engaged if scope == EVERYTHING or tenant == run.tenant
        }
        found = beneath(run.id, run.workflow, started_by=run.started_by, uppers=claim.above)
        return above(scopes, found) is not None

    async def look(self) -> None:
        """Look which are engaged at this moment."""
        try:
            found = await self._database.read(halting.everybodys)
        except Unavailable as error:
            log.warning("worker.store_away", reason=str(error))
            return
        self._may_free = self._may_free or bool(self._engaged - found)
        if found != self._engaged:
            log.warning("switches.changed", engaged=sorted(scope for _, scope in found))
        self._engaged = found

    async def refresh(self) -> None:
        """Look which are engaged; of those that are not any more, let the runs go on."""
        await self.look()
        try:
            while self._may_free:
                self._may_free = await self._database.write(halting.free_some) > 0
        except Unavailable as error:
            log.warning("worker.store_away", reason=str(error))

    async def watch(self) -> None:
        """Keep looking, until cancelled."""
        with self._database.hints.listen(halting.TOPIC) as ear:
            while True:
                await self.refresh()
                await ear.wait(POLL_EVERY)
