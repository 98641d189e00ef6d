"""Sees that what is older than `[retention]` keeps it goes, a little at a time."""

from datetime import timedelta
from typing import Final

import structlog

from engine.clock import Clock
from engine.ids import TenantId
from engine.services import retaining, tenants
from engine.services.retaining import Terms
from engine.signing import Signer
from engine.store.database import Database

LOOK_EVERY: Final = timedelta(minutes=1)

_log = structlog.stdlib.get_logger("bot")


class Retaining:
    """Prunes what has grown old, of every tenant. Several processes may do this on one database."""

    def __init__(self, database: Database, signer: Signer, terms: Terms, *, clock: Clock) -> None:
        self._database, self._signer = database, signer
        self._terms, self._clock = terms, clock

    async def work(self) -> None:
        """Look again and again, until cancelled; where everything is kept, never."""
        while True:
            await self._clock.sleep(LOOK_EVERY)
            if self._terms.keep_all:
                continue
            try:
                await self.look()
            except Exception:  # border: whatever broke, the next look tries again
                _log.exception("record.not_pruned")

    async def look(self) -> None:
        """Take away some of what is too old."""
        for tenant in await self._database.read(
            lambda tx: [each.id for each in tenants.listing(tx)]
        ):
            await self._prune(tenant)

    async def _prune(self, tenant: TenantId) -> None:
        database = self._database.of(tenant)
        done = await retaining.prune(database, tenant, self._terms, self._signer)
        if not done.is_nothing:
            _log.info("record.pruned", tenant=tenant, **done.to_json())
