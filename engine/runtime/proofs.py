"""Until when this process knows that its leases are its own, and asking anew before an effect once that is over."""

import asyncio
from datetime import timedelta
from math import inf

from engine.errors import LeaseLost
from engine.ids import LeaseToken
from engine.services import tending
from engine.services.driving import Driven
from engine.store.database import Database


class Proofs:
    """What this process was last told of its leases, by a clock that goes on while it is stopped.

    A lease runs from the database's moment, which is later than ours before we asked: whoever acts
    before our moment and the lease's length have passed holds the run.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lease_for = timedelta()
        self._until: dict[LeaseToken, float] = {}

    def proven(self, *tokens: LeaseToken, asked_at: float, lease_for: timedelta) -> None:
        """These are held for `lease_for` from `asked_at` at the earliest, a moment of the loop's clock."""
        self._lease_for = lease_for
        self._until |= dict.fromkeys(tokens, asked_at + lease_for.total_seconds())

    def forget(self, token: LeaseToken) -> None:
        """Nothing is done under it any more."""
        self._until.pop(token, None)

    async def demand(self, driven: Driven) -> None:
        """Return at a moment at which nobody else can hold the run.

        A process that was stopped, or starved, asks the database first. Of whoever drives without a
        lease that ends, as the owner of a file does alone, nothing is asked.

        Raises:
            LeaseLost: if somebody else drives it by now.
            Unavailable: if that cannot be found out.
        """
        now = asyncio.get_running_loop().time
        while (asked_at := now()) >= self._until.get(driven.token, inf):
            await self._renew(driven, asked_at)

    async def _renew(self, driven: Driven, asked_at: float) -> None:
        lease_for, held = self._lease_for, {driven.run: driven.token}
        if await self._database.write(lambda tx: tending.renew(tx, held, lease_for=lease_for)):
            raise LeaseLost("Somebody else drives this run by now: nothing of it is done here.")
        self.proven(driven.token, asked_at=asked_at, lease_for=lease_for)
