"""How many may wait at once, for an end or for news: places that are taken, and given back afterwards."""

from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

PLACES: Final = 1_000
PLACES_EACH: Final = 200


class WaitingRoom:
    """`places` for everybody together, and of these at most `each` for one caller."""

    def __init__(self, *, places: int = PLACES, each: int = PLACES_EACH) -> None:
        self._places, self._each = places, each
        self._taken: Counter[str] = Counter()

    @contextmanager
    def place(self, caller: str) -> Generator[bool]:
        """Whether there is a place for `caller` during the block; nobody queues for one."""
        if self._taken[caller] >= self._each or self._taken.total() >= self._places:
            yield False
            return
        self._taken[caller] += 1
        try:
            yield True
        finally:
            self._taken[caller] -= 1
            if not self._taken[caller]:
                del self._taken[caller]
