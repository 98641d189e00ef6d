"""How a worker comes by its runs: it looks for those that are ready, or rides along with what makes one ready."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

import structlog

from engine.ids import WorkerId
from engine.rules.suspicion import FRESH, Tries
from engine.runtime.faults import in_spite_of_faults
from engine.runtime.pace import Pace
from engine.services import driving, tending
from engine.store.database import Database, Transaction
from engine.store.hints import Ear
from engine.store.riding import Rider
from engine.store.runs import Claim

T = TypeVar("T")

TOPIC: Final = "runs"

log = structlog.get_logger("engine.runtime")


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What a ride came to. `is_all` says that nothing else can have become ready since."""

    claims: Sequence[Claim]
    is_all: bool


class Claims:
    """The claims of one worker on runs of `workflows`."""

    def __init__(
        self, name: WorkerId, database: Database, workflows: Sequence[str], pace: Pace
    ) -> None:
        self._name, self._database = name, database
        self._workflows, self._pace = workflows, pace

    async def take(self, limit: int, tries: Tries) -> list[Claim]:
        """Up to `limit` of the runs that are ready at this moment."""
        claims = self._database.write(lambda tx: self._claimed(tx, limit, tries))
        return await in_spite_of_faults(claims, list[Claim]())

    async def ride(self, ear: Ear, room: Callable[[], int]) -> Taken:
        """Wait for a hint or the next poll; what a transaction makes ready meanwhile is claimed in it.

        So a run goes on one commit earlier. Where nobody lets it board, it only waits. There is `room`
        for so many at that moment, by another thread.
        """
        riders = self._database.hints.riders
        limit = 0

        def board(tx: Transaction) -> list[Claim]:
            nonlocal limit
            limit = room()
            return self._claimed(tx, limit, FRESH) if limit > 0 else []

        rider = Rider(board, ear)
        riders.wait(TOPIC, rider)
        try:
            await ear.wait(self._pace.poll_every)
        finally:
            has_left = riders.leave(TOPIC, rider)
        if has_left:
            return Taken(claims=(), is_all=False)
        claims = await in_spite_of_faults(rider.answer, list[Claim]())
        return Taken(claims=claims, is_all=0 <= len(claims) < limit and rider.heard == ear.rings)

    async def suspects(self) -> set[int]:
        """How often those ready runs were taken up in vain that were so at all."""
        found = self._database.read(lambda tx: tending.suspects(tx, list(self._workflows)))
        return await in_spite_of_faults(found, set[int]())

    def _claimed(self, tx: Transaction, limit: int, tries: Tries) -> list[Claim]:
        return driving.claim(
            tx,
            worker=self._name,
            workflows=list(self._workflows),
            lease_for=self._pace.lease_for,
            limit=limit,
            tries=tries,
        )
