"""Chance that can be had again: each player draws from a stream of its own, made from one seed."""

from collections.abc import Sequence
from datetime import timedelta
from hashlib import sha256
from typing import Self, TypeVar

T = TypeVar("T")


class Dice:
    """The same seed gives the same draws, whoever else draws meanwhile."""

    def __init__(self, seed: str) -> None:
        self._seed, self._drawn = seed, 0

    def of(self, player: str) -> Self:
        """The dice of one player."""
        return type(self)(f"{self._seed}/{player}")

    def fraction(self) -> float:
        """A number in [0, 1)."""
        self._drawn += 1
        digest = sha256(f"{self._seed}#{self._drawn}".encode()).digest()
        return int.from_bytes(digest[:6], "big") / (1 << 48)

    def chance(self, share: float) -> bool:
        """Yes, in `share` of all throws."""
        return self.fraction() < share

    def between(self, shortest: timedelta, longest: timedelta) -> timedelta:
        """Some time, evenly."""
        return shortest + (longest - shortest) * self.fraction()

    def one_of(self, things: Sequence[T]) -> T:
        """One of `things`, each as likely."""
        return things[int(self.fraction() * len(things))]
