"""Telling a run that kills its worker from its neighbours: whoever got nowhere goes on in ever smaller company."""

from dataclasses import dataclass
from typing import Final

CRASHES_MAX: Final = 3  # a run that was lost so often without getting anywhere is driven no more
FEW: Final = 8  # runs that were lost once are driven so many at a time


@dataclass(frozen=True, slots=True)
class Tries:
    """How often runs were taken up in vain before: `low` to `high`, both included."""

    low: int
    high: int


FRESH: Final = Tries(0, 0)
LOST_ONCE: Final = Tries(1, 1)
LAST_CHANCE: Final = Tries(2, CRASHES_MAX - 1)  # driven alone, so that nobody else can be to blame
CONDEMNED: Final = Tries(CRASHES_MAX, 2**31 - 1)
ANYBODY: Final = Tries(0, CONDEMNED.high)

# What a driver writes before it has done anything, or before an effect that it may not survive.
NO_PROGRESS: Final = frozenset(
    {
        "run.started",
        "sleep.ended",
        "step.retried",
        "step.begun",
        "compensation.begun",
        "value.recorded",
        "patch.recorded",
        "branches.begun",
        "branches.woken",
        "approval.consumed",
        "budget.reserved",
        "budget.warned",
    }
)


def is_progress(kind: str) -> bool:
    """Whether a driver that writes an entry of `kind` has survived something that it did."""
    return kind not in NO_PROGRESS
