"""How often a worker looks, how much it takes on, and how long it may be silent."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often a worker looks, how much it takes on, and how long it may be silent.

    For `alone_for` at most a run on its last chance has the worker to itself.
    """

    lease_for: timedelta = timedelta(seconds=30)
    poll_every: timedelta = timedelta(seconds=1)
    runs_at_once: int = 128
    claims_at_once: int = 32
    alone_for: timedelta = timedelta(seconds=10)
