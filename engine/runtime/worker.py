"""The worker: claims runs, fires due rungs and keeps leases, until it is told to stop."""

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import structlog

from engine.errors import Unavailable
from engine.ids import LeaseToken, RunId, WorkerId
from engine.runtime.executor import Executor
from engine.services import driving, rungs, tending
from engine.store.database import Database
from engine.store.runs import Claim

T = TypeVar("T")

log = structlog.get_logger("engine.runtime")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often a worker looks, how much it takes on, and how long it may be silent."""

    lease_for: timedelta = timedelta(seconds=30)
    poll_every: timedelta = timedelta(seconds=1)
    runs_at_once: int = 128
    claims_at_once: int = 32


class Worker:
    """Any number of workers may share a database: what one holds, no other is given."""

    def __init__(
        self,
        name: WorkerId,
        database: Database,
        executor: Executor,
        workflows: Sequence[str],
        *,
        pace: Pace | None = None,
    ) -> None:
        self._name, self._database, self._executor = name, database, executor
        self._workflows, self._pace = workflows, pace or Pace()
        self._held: dict[RunId, tuple[LeaseToken, asyncio.Task[None]]] = {}

    async def work(self) -> None:
        """Work until cancelled. What is driven then stays leased until the lease runs out."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._claim_for_ever(group))
            group.create_task(self._fire_for_ever())
            group.create_task(self._renew_for_ever())

    async def drain(self) -> None:
        """Do all that is due at this moment, and what follows from it; then return."""
        while await self._fire_once() + await self._drive_all_ready():
            pass

    async def _drive_all_ready(self) -> int:
        claims = await self._claim(self._pace.claims_at_once)
        async with asyncio.TaskGroup() as group:
            for claim in claims:
                group.create_task(self._executor.drive(claim))
        return len(claims)

    async def _claim_for_ever(self, group: asyncio.TaskGroup) -> None:
        with self._database.hints.listen("runs") as ear:
            while True:
                room = min(self._pace.claims_at_once, self._pace.runs_at_once - len(self._held))
                claims = await _in_spite_of_faults(self._claim(room), []) if room > 0 else []
                for claim in claims:
                    self._hold(claim, group.create_task(self._drive(claim)))
                if len(claims) < max(room, 1):
                    await ear.wait(self._pace.poll_every)

    async def _claim(self, limit: int) -> list[Claim]:
        try:
            return await self._database.write(
                lambda tx: driving.claim(
                    tx,
                    worker=self._name,
                    workflows=self._workflows,
                    lease_for=self._pace.lease_for,
                    limit=limit,
                )
            )
        except Unavailable as error:
            log.warning("worker.store_away", reason=str(error))
            return []

    def _hold(self, claim: Claim, task: "asyncio.Task[None]") -> None:
        self._held[claim.run.id] = (claim.token, task)

    async def _drive(self, claim: Claim) -> None:
        try:
            await self._executor.drive(claim)
        except Exception:  # border: one broken run must not stop the worker of all others
            log.exception("run.driver_failed", run=claim.run.id)
        finally:
            held = self._held.get(claim.run.id)
            if held is not None and held[0] == claim.token:
                del self._held[claim.run.id]

    async def _fire_for_ever(self) -> None:
        with self._database.hints.listen("timers") as ear:
            while True:
                if await _in_spite_of_faults(self._fire_once(), 0) < rungs.BATCH_MAX:
                    await ear.wait(self._pace.poll_every)

    async def _fire_once(self) -> int:
        try:
            return await self._database.write(rungs.fire_due)
        except Unavailable as error:
            log.warning("worker.store_away", reason=str(error))
            return 0

    async def _renew_for_ever(self) -> None:
        with self._database.hints.listen("never") as ear:
            while True:
                await ear.wait(self._pace.lease_for / 3)
                await self._renew()

    async def _renew(self) -> None:
        held = {run: token for run, (token, _task) in self._held.items()}
        try:
            lost = await self._database.write(
                lambda tx: tending.renew(tx, held, lease_for=self._pace.lease_for)
            )
        except Unavailable as error:
            # Whoever cannot prove its lease must stop: the run may be somebody else's by now.
            log.warning("worker.leases_unproven", reason=str(error))
            lost = set(held)
        for run in lost:
            if run in self._held:
                self._held[run][1].cancel()


async def _in_spite_of_faults(deed: Awaitable[T], otherwise: T) -> T:
    try:
        return await deed
    except Exception:  # border: one damaged row must not end the worker of all others
        log.exception("worker.fault")
        return otherwise
