"""Effects under receipts: two at once ask for the same one over different servers, and it is made once."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from bot.chaos.dice import Dice
from bot.chaos.load import Tally
from bot.chaos.target import Target
from engine.clock import Clock
from signoff import Client
from signoff.effects import Absent, Present
from signoff.receipts import Receipt

LEASE: Final = timedelta(seconds=10)
PATIENCE: Final = timedelta(seconds=90)
AGAIN: Final = timedelta(milliseconds=300)
SOON: Final = (timedelta(milliseconds=1), timedelta(milliseconds=400))
GOOD: Final = frozenset({"executed", "dedup_same_request_id", "found"})


@dataclass(slots=True, kw_only=True)
class Makers:
    """Programs with a key that have effects of their own."""

    bases: tuple[str, ...]
    key: str
    target: Target
    clock: Clock
    dice: Dice
    tally: Tally

    async def run(self, *, every: timedelta, enough: Callable[[], bool]) -> None:
        """Make one effect at every `every`, until it is `enough`."""
        number = 0
        async with asyncio.TaskGroup() as group:
            while not enough():
                number += 1
                group.create_task(self.make(number))
                await self.clock.sleep(every)

    async def make(self, number: int) -> None:
        """Two programs make the same effect."""
        async with asyncio.TaskGroup() as both:
            for base in (self.bases[0], self.bases[-1]):
                both.create_task(self._one(f"receipt-{number}", base))

    async def _one(self, name: str, base: str) -> None:
        limit = self.clock.now() + PATIENCE
        while self.clock.now() < limit:
            self.tally.tries += 1
            try:
                receipt = await self._once(name, base)
            except Exception:  # border: a killed server answers in every possible way
                await self.clock.sleep(AGAIN)
                continue
            came_to = self.tally.done if receipt.reason in GOOD else self.tally.refused
            came_to["receipt"] += 1
            return
        self.tally.failed["receipt"] += 1

    async def _once(self, name: str, base: str) -> Receipt:
        async def effect() -> str:
            await self.clock.sleep(self.dice.between(*SOON))
            self.target.made.append(name)
            return name

        async def look(_request: str, *_what: object) -> Present | Absent:
            return Present(name) if name in self.target.made else Absent()

        async with Client(base, self.key) as client:
            return await client.receipts.once(
                name, "chaos", {"name": name}, effect, lease=LEASE, probe=look
            )
