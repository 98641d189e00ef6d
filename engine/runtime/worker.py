"""The worker: claims runs, fires due rungs and keeps leases, until it is told to stop."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import structlog

from engine.errors import Unavailable
from engine.ids import LeaseToken, RunId, WorkerId
from engine.rules.suspicion import CONDEMNED, FEW, FRESH, LAST_CHANCE, LOST_ONCE, Tries
from engine.runtime.claims import TOPIC, Claims
from engine.runtime.executor import Executor
from engine.runtime.expiry import Expiry
from engine.runtime.faults import in_spite_of_faults
from engine.runtime.firing import Firing
from engine.runtime.pace import Pace
from engine.runtime.pulse import Pulse
from engine.services import adopting, tending
from engine.store.database import Database
from engine.store.hints import Ear
from engine.store.presence import TOLD_EVERY
from engine.store.runs import Claim

log = structlog.get_logger("engine.runtime")


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A run that is driven here."""

    token: LeaseToken
    tries: int
    task: "asyncio.Task[None]"


class Worker:
    """Any number of workers may share a database: what one holds, no other is given.

    Runs that were lost with their driver are taken up again in small company, and alone before they
    are given up: whoever ends the process then is the one that did it before.
    """

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
        self._claims = Claims(name, database, workflows, self._pace)
        self._held: dict[RunId, Held] = {}
        self._to_give_back: dict[RunId, LeaseToken] = {}
        self._is_stopping = self._is_closed = False
        self._crowded_until = self._tell_again_at = 0.0
        self._freed = Ear()  # rings when a run that was lost before is held no more
        self._emptied = asyncio.Event()
        self._claiming = asyncio.Lock()  # held while somebody fresh is being claimed
        self._pulse = Pulse()
        self._firing, self._expiry = Firing(database, self._pace), Expiry(database)

    async def work(self) -> None:
        """Work until cancelled, or after `stop` until what is under way has come to an end here.

        Cancelled after `stop`, it gives back what it still holds; cancelled without, that stays leased
        until the lease runs out.
        """
        with self._pulse.beating():
            await self._work()

    async def _work(self) -> None:
        async with asyncio.TaskGroup() as group:
            beside = [
                group.create_task(self._firing.for_ever()),
                group.create_task(self._expiry.for_ever()),
                group.create_task(self._renew_for_ever()),
                group.create_task(self._executor.halts.watch()),
            ]
            try:
                async with asyncio.TaskGroup() as drives:
                    drives.create_task(self._claim_until_stopped(drives))
                    drives.create_task(self._take_suspects_until_stopped(drives))
            finally:
                for each in beside:
                    each.cancel()
                if self._is_stopping:
                    await self._give_back()

    def stop(self) -> None:
        """Take up nothing more; what is driven is given back where its next deed would begin."""
        self._is_stopping = True
        self._executor.stop()
        self._freed.ring()
        self._database.hints.fire([TOPIC])

    async def drain(self) -> None:
        """Do all that is due at this moment, and what follows from it; then return."""
        await self._executor.halts.refresh()
        while await self._firing.once() + await self._expiry.once() + await self._drive_all_ready():
            pass

    async def _drive_all_ready(self) -> int:
        done = await self._drive_some(FRESH, self._pace.claims_at_once)
        for tries, at_once in ((LOST_ONCE, FEW), (LAST_CHANCE, 1), (CONDEMNED, FEW)):
            if not done and await self._claims.suspects():
                done = await self._drive_some(tries, at_once)
        return done

    async def _drive_some(self, tries: Tries, at_once: int) -> int:
        claims = await self._claims.take(at_once, tries)
        async with asyncio.TaskGroup() as group:
            for claim in claims:
                group.create_task(self._drive(claim))
        return len(claims)

    async def _claim_until_stopped(self, group: asyncio.TaskGroup) -> None:
        looks = True
        with self._database.hints.listen(TOPIC) as ear:
            while not self._is_stopping:
                await self._database.hints.decisions.let_pass()
                async with self._claiming:
                    room = self._room()
                    taken = await self._take(group, room, FRESH) if looks and room > 0 else 0
                    if not looks or taken < max(room, 1):
                        looks = not await self._ride(group, ear)

    def _room(self) -> int:
        """How many more runs may be taken up at once."""
        is_ahead = self._database.hints.decisions.is_taken
        if self._is_closed or self._is_stopping or is_ahead:
            return 0
        return min(self._pace.claims_at_once, self._pace.runs_at_once - len(self._held))

    async def _ride(self, group: asyncio.TaskGroup, ear: Ear) -> bool:
        """Drive what becomes ready meanwhile; whether nothing else can have."""
        asked_at = asyncio.get_running_loop().time()
        taken = await self._claims.ride(ear, self._room)
        self._take_up(group, taken.claims, asked_at)
        return taken.is_all

    async def _take_suspects_until_stopped(self, group: asyncio.TaskGroup) -> None:
        while not self._is_stopping:
            suspects = await self._claims.suspects()
            if any(tries >= CONDEMNED.low for tries in suspects):
                await self._take(group, FEW, CONDEMNED)
            few = FEW - sum(each.tries > LOST_ONCE.high for each in self._held.values())
            if LOST_ONCE.low in suspects and few > 0:
                await self._take(group, few, LOST_ONCE)
            if any(LAST_CHANCE.low <= tries <= LAST_CHANCE.high for tries in suspects):
                await self._take_alone(group)
            if not self._is_stopping:
                await self._freed.wait(self._pace.poll_every)

    async def _take_alone(self, group: asyncio.TaskGroup) -> None:
        """Drive runs on their last chance one by one, while nobody else is taken up.

        For half of `alone_for` those under way are waited for, and after it all others go on: a step
        may take hours.
        """
        loop, at_most = asyncio.get_running_loop(), self._pace.alone_for.total_seconds()
        ends = loop.time() + at_most
        if self._crowded_until > loop.time():
            return
        self._is_closed = True
        self._database.hints.fire([TOPIC])  # whoever waits for fresh ones lets go
        try:
            async with self._claiming:  # what was asked for before is under way, too
                pass
            await self._until_idle(ends - at_most / 2)
            is_idle = True
            while is_idle and not self._is_stopping:
                if not await self._take(group, 1, LAST_CHANCE):
                    return
                is_idle = await self._until_idle(ends)
            self._crowded_until = ends + at_most  # the others have their turn as long
        finally:
            self._is_closed = False
            self._database.hints.fire([TOPIC])

    async def _until_idle(self, moment: float) -> bool:
        """Whether nothing is driven any more, before the loop's `moment`."""
        with suppress(TimeoutError):
            async with asyncio.timeout_at(moment):
                while self._held:
                    self._emptied.clear()
                    await self._emptied.wait()
        return not self._held

    async def _take(self, group: asyncio.TaskGroup, limit: int, tries: Tries) -> int:
        asked_at = asyncio.get_running_loop().time()
        claims = await self._claims.take(limit, tries)
        return self._take_up(group, claims, asked_at)

    def _take_up(self, group: asyncio.TaskGroup, claims: Sequence[Claim], asked_at: float) -> int:
        self._prove(*(claim.token for claim in claims), asked_at=asked_at)
        if self._is_stopping:
            self._to_give_back |= {claim.run.id: claim.token for claim in claims}
            return 0
        for claim in claims:
            task = group.create_task(self._drive(claim))
            self._held[claim.run.id] = Held(token=claim.token, tries=claim.run.tries, task=task)
        return len(claims)

    async def _drive(self, claim: Claim) -> None:
        is_over = False
        try:
            is_over = await self._executor.drive(claim)
        except Exception:  # border: one broken run must not stop the worker of all others
            log.exception("run.driver_failed", run=claim.run.id)
            is_over = True  # its lease runs out, which counts as a crash
        finally:
            self._executor.proofs.forget(claim.token)
            if not is_over:
                self._to_give_back[claim.run.id] = claim.token
            held = self._held.get(claim.run.id)
            if held is not None and held.token == claim.token:
                del self._held[claim.run.id]
            if claim.run.tries > LOST_ONCE.high:
                self._freed.ring()
            if not self._held:
                self._emptied.set()
        if self._is_stopping:
            await self._give_back()

    async def _renew_for_ever(self) -> None:
        with self._database.hints.listen("never") as ear:
            while True:
                await in_spite_of_faults(self._tell_what_is_held(), None)
                await ear.wait(self._pace.lease_for / 3)
                await self._renew()
                await self._give_back()

    async def _tell_what_is_held(self) -> None:
        now = asyncio.get_running_loop().time()
        if now < self._tell_again_at:
            return
        with suppress(Unavailable):
            await self._database.write(lambda tx: adopting.hold(tx, list(self._workflows)))
            self._tell_again_at = now + TOLD_EVERY.total_seconds()

    async def _renew(self) -> None:
        held = {run: each.token for run, each in self._held.items()}
        if not held:
            return
        asked_at = asyncio.get_running_loop().time()
        try:
            lost = await self._database.write(
                lambda tx: tending.renew(tx, held, lease_for=self._pace.lease_for),
                within=self._pace.lease_for / 2,  # by then a third more has passed
            )
        except Exception as error:  # border: whatever it was, these leases are not proven
            # Whoever cannot prove its lease must stop: the run may be somebody else's by now.
            log.warning("worker.leases_unproven", reason=str(error))
            lost = set(held)
        kept = held.keys() & self._held.keys() - lost
        self._prove(*(held[run] for run in kept), asked_at=asked_at)
        if not lost:
            self._pulse.begin_anew()
        for run in lost:
            if run in self._held and self._held[run].token == held[run]:
                self._held[run].task.cancel()

    def _prove(self, *tokens: LeaseToken, asked_at: float) -> None:
        self._executor.proofs.proven(*tokens, asked_at=asked_at, lease_for=self._pace.lease_for)

    async def _give_back(self) -> None:
        given, self._to_give_back = self._to_give_back, {}
        if not given:
            return
        # Whoever lives to give back was not ended by any of them, and knows whether they blocked it.
        is_blameless = self._pulse.blocked_for < self._pace.lease_for / 3
        try:
            await self._database.write(
                lambda tx: tending.give_back(tx, given, is_blameless=is_blameless)
            )
        except Unavailable as error:
            log.warning("worker.store_away", reason=str(error))
            self._to_give_back |= given
