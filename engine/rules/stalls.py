"""How long the code that a worker drives kept it from everything else, told from how long the machine did."""

from dataclasses import dataclass
from typing import Final

STOOD_STILL: Final = 0.5  # seconds without a tick, which comes ten times as often
BUSY: Final = (
    0.5  # the share of that time in which the process worked: then it was the code's doing
)


@dataclass(slots=True)
class Stalls:
    """Fed with ticks of a thread that does nothing else; all moments are seconds of one steady clock.

    While code holds the event loop, the thread goes on and sees that the loop is late. While the
    process is stopped, or is given no processor, the thread stands still too, and nobody is to blame:
    unless the process worked all that time, for then code kept even the thread from going on.
    """

    _ticked_at: float
    _worked: float
    _excused_until: float
    longest: float = 0.0

    @classmethod
    def since(cls, now: float, worked: float) -> "Stalls":
        """Nothing has stalled yet at `now`, when the process had `worked` for so long."""
        return cls(now, worked, now)

    def tick(self, now: float, *, worked: float, beat_at: float) -> None:
        """Note that the thread lives at `now`, the process worked for `worked`, the loop last at `beat_at`."""
        gap = now - self._ticked_at
        if gap < STOOD_STILL:
            self._blame(now - max(beat_at, self._excused_until))
        elif worked - self._worked > gap * BUSY:
            self._blame(gap)
        else:
            self._excused_until = now
        self._ticked_at, self._worked = now, worked

    def _blame(self, seconds: float) -> None:
        self.longest = max(self.longest, seconds)
