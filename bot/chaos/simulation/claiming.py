"""Receipts in the simulated store: agents outside any run who claim one effect under one request id."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

from bot.chaos.simulation.driving import Luck
from bot.chaos.simulation.memory import Memory
from bot.chaos.simulation.outside import Outside
from bot.chaos.simulation.rows import ReceiptRow
from engine.errors import LeaseLost
from engine.rules.receipts import ReceiptState, Standing, standing

LEASE: Final = timedelta(seconds=40)


def claim(memory: Memory, request: str, token: str) -> Standing:
    """What whoever claims is answered, as `engine.services.claiming.claim`."""
    row = memory.receipts.get(request)
    until = memory.now + LEASE
    new = ReceiptRow(id=request, state=ReceiptState.CLAIMED, token=token, lease_until=until)
    if row is None:
        memory.receipts.put(request, new)
        return Standing.GRANTED
    if row.state is ReceiptState.CLAIMED and row.token == token:
        return Standing.GRANTED  # its answer was lost
    is_over = row.lease_until <= memory.now
    found = standing(row.state, is_over=is_over)
    if not memory.laws.claims_effects_once and is_over and found is Standing.UNKNOWN:
        found = Standing.GRANTED
    if found is Standing.GRANTED:
        memory.receipts.put(request, replace(new, attempts=row.attempts + 1))
    elif found is Standing.UNKNOWN:
        memory.receipts.put(request, replace(row, state=ReceiptState.UNKNOWN))
    return found


def settle(memory: Memory, request: str, token: str, state: ReceiptState) -> None:
    """Say how it ended.

    Raises:
        LeaseLost: if it is not this claimer's any more.
    """
    row = memory.receipts[request]
    if row.token != token or row.state is not ReceiptState.CLAIMED:
        raise LeaseLost("The effect is not this claimer's any more.")
    memory.receipts.put(request, replace(row, state=state))


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """One try of somebody to make the effect."""

    request: str
    token: str
    write: Callable[[Callable[[Memory], Any]], Any]
    outside: Outside
    luck: Luck

    def drive(self) -> Iterator[str]:
        """Claim, make the effect, and say how it ended."""
        answer = self.write(lambda memory: claim(memory, self.request, self.token))
        yield f"is told {answer}"
        if answer is not Standing.GRANTED:
            return
        outcome = self.luck.call()
        if outcome != "nothing":
            self.outside.agents.setdefault(self.request, []).append(self.token)
        yield f"{outcome} {self.request}"
        if outcome == "unheard":
            return
        done = ReceiptState.SUCCEEDED if outcome == "done" else ReceiptState.FAILED_NO_EFFECT
        try:
            self.write(lambda memory: settle(memory, self.request, self.token, done))
        except LeaseLost:
            yield "comes too late to say so"
