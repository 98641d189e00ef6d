"""Looks whether anchors are due, makes them, and sees that each is kept outside, in order."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import structlog

from bot.anchoring.sinks import Sink
from engine.clock import Clock
from engine.ids import TenantId
from engine.services import anchoring, tenants
from engine.services.anchoring import Due
from engine.signing import Signer
from engine.store.anchors import Anchor
from engine.store.database import Database, Transaction

LOOK_EVERY: Final = timedelta(seconds=10)

_log = structlog.stdlib.get_logger("bot")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Standing:
    """How one tenant stands; `since` says from when on chains may have grown."""

    tenant: TenantId
    is_due: bool
    since: datetime | None
    waits: bool


class Anchoring:
    """Anchors of every tenant. Several processes may do this on one database."""

    def __init__(
        self,
        database: Database,
        signer: Signer,
        sinks: Sequence[Sink],
        *,
        due: Due,
        clock: Clock,
    ) -> None:
        self._database, self._signer, self._sinks = database, signer, tuple(sinks)
        self._due, self._clock = due, clock

    async def work(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            await self._clock.sleep(LOOK_EVERY)
            try:
                await self.look()
            except Exception:  # border: whatever broke, the next look tries again
                _log.exception("anchor.not_made")

    async def look(self) -> None:
        """Make the anchors that are due, and keep outside what is not yet there."""
        for standing in await self._database.read(self._standings):
            if standing.is_due:
                await self._make(standing.tenant, standing.since)
            if self._sinks and (standing.is_due or standing.waits):
                await self._publish(standing.tenant)

    async def anchor(self, tenant: TenantId) -> list[Anchor]:
        """Anchor all that has grown, whether it is due or not, and keep it outside."""
        made = await self._make(tenant, None)
        if self._sinks:
            await self._publish(tenant)
        return made

    async def _make(self, tenant: TenantId, since: datetime | None) -> list[Anchor]:
        database = self._database.of(tenant)
        made = await anchoring.anchor_all(database, tenant, self._signer, since=since)
        if made:
            _log.info("anchor.made", tenant=tenant, number=made[-1].number)
        return made

    async def _publish(self, tenant: TenantId) -> None:
        database = self._database.of(tenant)
        for anchor in await database.read(lambda tx: anchoring.unpublished(tx, tenant)):
            try:
                for sink in self._sinks:
                    await sink.keep(anchor)
            except Exception as error:  # border: a disk, a network, somebody else's server
                _log.warning("anchor.not_kept", tenant=tenant, reason=str(error) or repr(error))
                return
            kept = partial(anchoring.note_published, tenant=tenant, number=anchor.number)
            await database.write(kept)

    def _standings(self, tx: Transaction) -> list[_Standing]:
        found: list[_Standing] = []
        for known in tenants.listing(tx):
            if not known.is_active:
                continue
            tx.act_for(known.id)
            is_due, since = anchoring.is_due(tx, known.id, self._due)
            waits = bool(anchoring.unpublished(tx, known.id))
            found.append(_Standing(tenant=known.id, is_due=is_due, since=since, waits=waits))
        return found
