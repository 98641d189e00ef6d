"""Delivers the outbox: at least once, in order for each message, no faster than a medium allows."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog

from channels.attempt import Attempts, Cards, Outcome
from channels.base import Channel
from engine.clock import Clock
from engine.errors import LeaseLost, Unavailable
from engine.services import deliveries
from engine.store.database import Database
from engine.store.hints import Ear
from engine.store.outbox import Delivery
from engine.store.presence import GONE_AFTER, TOLD_EVERY

LEASE: Final = timedelta(seconds=90)  # longer than one attempt may take
POLL: Final = timedelta(seconds=1)
TICK: Final = timedelta(milliseconds=10)
STORE_PAUSES: Final = (0.2, 1, 3, 10, 30)  # seconds; a mark is worth trying until its lease ends
ORPHANS: Final = ""

log = structlog.stdlib.get_logger("channels")


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """How much of a medium is used: messages at once, and the pause between two to one address."""

    at_once: int = 8
    pause: timedelta = timedelta()


# Slack takes about one message a second in each conversation.
FLOWS: Final[Mapping[str, Flow]] = {"slack": Flow(pause=timedelta(seconds=1))}


class Dispatcher:
    """Sends what is due. Several may run, in one process or many, on one database.

    A delivery is leased, sent, and marked in a transaction of its own right after the send. A crash
    in between sends it once more under the same key. Each channel has a lane of its own, so that one
    that hangs does not hold up the others; the last lane is for channels nobody set up here.
    """

    def __init__(
        self,
        database: Database,
        channels: Mapping[str, Channel],
        cards: Cards,
        *,
        clock: Clock,
        base_url: str,
        flows: Mapping[str, Flow] = FLOWS,
    ) -> None:
        attempts = Attempts(channels, cards, base_url=base_url)
        self._lanes = [
            _Lane(name, tuple(channels), database, attempts, clock, flows.get(name, Flow()))
            for name in (*channels, ORPHANS)
        ]

    async def run(self) -> None:
        """Deliver until cancelled, or until `stop`; what is being sent at a stop is finished."""
        async with asyncio.TaskGroup() as group:
            for lane in self._lanes:
                group.create_task(lane.run())

    def stop(self) -> None:
        """Take nothing new; `run` returns once all that is being sent has its answer."""
        for lane in self._lanes:
            lane.stop()

    async def drain(self) -> int:
        """Deliver everything that is due at this moment, without pauses; gives how many attempts."""
        total = 0
        while made := sum([await lane.drain() for lane in self._lanes]):
            total += made
        return total


class _Lane:
    """One channel's share of the outbox."""

    def __init__(
        self, name: str, known: tuple[str, ...], database: Database, attempts: Attempts,
        clock: Clock, flow: Flow,
    ) -> None:  # fmt: skip
        self._name, self._known, self._flow = name, known, flow
        self._database, self._attempts, self._clock = database, attempts, clock
        self._sending: dict[str, Delivery] = {}
        self._rests: dict[str, datetime] = {}
        self._told_at: datetime | None = None
        self._told = 0
        self._stopped = False
        self._ear = Ear()

    async def run(self) -> None:
        with self._database.hints.listen("outbox") as ear:
            self._ear = ear
            async with asyncio.TaskGroup() as group:
                while not self._stopped:
                    await self._database.hints.decisions.let_pass()
                    free = self._flow.at_once - len(self._sending)
                    taken = await self._take(free) if free else []
                    for delivery in taken:
                        self._sending[delivery.id] = delivery
                        group.create_task(self._deliver(delivery))
                    if len(taken) < free or not free:
                        await ear.wait(self._patience())

    def stop(self) -> None:
        self._stopped = True
        self._ear.ring()

    async def drain(self) -> int:
        taken = await self._claim(self._flow.at_once, frozenset())
        async with asyncio.TaskGroup() as group:
            for delivery in taken:
                group.create_task(self._deliver(delivery))
        return len(taken)

    async def _take(self, limit: int) -> list[Delivery]:
        try:
            claimed = await self._claim(limit, self._resting())
        except Unavailable as error:
            log.warning("outbox.store_away", channel=self._name, reason=str(error))
            return []
        if not self._flow.pause:
            return claimed
        # One at a time to each address: the others of this batch wait for their turn.
        first = {delivery.address: delivery for delivery in reversed(claimed)}
        later = [delivery for delivery in claimed if first[delivery.address] is not delivery]
        if later:
            with suppress(Unavailable):
                await self._database.write(lambda tx: deliveries.give_back(tx, later))
        return list(first.values())

    async def _claim(self, limit: int, resting: frozenset[str]) -> list[Delivery]:
        if self._name == ORPHANS:
            await self._say_what_is_served()
            return await self._database.write(
                lambda tx: deliveries.claim_orphans(
                    tx, self._known, limit=limit, lease_for=LEASE
                )
            )  # fmt: skip
        return await self._database.write(
            lambda tx: deliveries.claim(
                tx, self._name, limit=limit, lease_for=LEASE, resting=resting
            )
        )  # fmt: skip

    async def _say_what_is_served(self) -> None:
        now = self._clock.now()
        if self._told_at is not None and now < self._told_at + TOLD_EVERY:
            return
        # Whoever has just begun, or slept, cannot know who else is about to be there.
        if self._told_at is None or now > self._told_at + GONE_AFTER:
            self._told = 0
        judges = self._told >= GONE_AFTER / TOLD_EVERY
        gone = await self._database.write(
            lambda tx: deliveries.serve(tx, self._known, missing=judges)
        )
        self._told_at, self._told = now, self._told + 1
        for channel in gone:
            log.error("channel.gone", channel=channel)

    def _resting(self) -> frozenset[str]:
        now = self._clock.now()
        self._rests = {address: until for address, until in self._rests.items() if until > now}
        busy = {each.address for each in self._sending.values()} if self._flow.pause else set[str]()
        return frozenset(self._rests) | busy

    def _patience(self) -> timedelta:
        now = self._clock.now()
        return min([POLL, *(max(until - now, TICK) for until in self._rests.values())])

    async def _deliver(self, delivery: Delivery) -> None:
        rest = self._flow.pause
        try:
            outcome = await self._attempts.make(delivery)
            rest = max(rest, outcome.rest)
            await self._mark(delivery, outcome)
        finally:
            self._sending.pop(delivery.id, None)
            if rest:
                self._rests[delivery.address] = self._clock.now() + rest
            self._ear.ring()

    async def _mark(self, delivery: Delivery, outcome: Outcome) -> None:
        for pause in STORE_PAUSES:
            try:
                await self._database.of(delivery.tenant).write(outcome.deed)
            except LeaseLost:
                log.warning("delivery.lease_lost", delivery=delivery.id)
            except Unavailable as error:
                log.warning("delivery.not_marked", delivery=delivery.id, reason=str(error))
                await self._clock.sleep(timedelta(seconds=pause))
                continue
            return
