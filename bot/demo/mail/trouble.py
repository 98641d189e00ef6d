"""What a mail server can do to a sender, queued by tests, stage by stage."""

from collections import Counter, defaultdict, deque
from dataclasses import dataclass, field
from enum import StrEnum

import anyio


class Stage(StrEnum):
    """Where in the conversation something goes wrong; `DOT` is after the last dot."""

    CONNECT = "connect"
    EHLO = "ehlo"
    STARTTLS = "starttls"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    DOT = "dot"


@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    """Answer with this line; `hangs_up` closes the connection after it, as a 421 does."""

    line: str
    hangs_up: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """Close the connection without a word. After the dot, `kept` says if the mail was delivered."""

    kept: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Stall:
    """Say nothing until `released`; `reached` is set when somebody waits."""

    released: anyio.Event = field(default_factory=anyio.Event)
    reached: anyio.Event = field(default_factory=anyio.Event)


Trouble = Say | Cut | Stall

BUSY = Say(line="421 4.3.2 Service not available, closing", hangs_up=True)
FULL = Say(line="452 4.2.2 Insufficient storage")
TOO_BIG = Say(line="552 5.3.4 Message too big")
SPAM = Say(line="554 5.7.1 Rejected by policy")
NO_TLS = Say(line="454 4.7.0 TLS not available")


class MailFaults:
    """Troubles by stage, each met once; refused addresses and greylisting last until changed."""

    def __init__(self) -> None:
        self._queues: defaultdict[Stage, deque[Trouble]] = defaultdict(deque)
        self._refused: dict[str, str] = {}
        self._grey = 0
        self._tried: Counter[tuple[str, str]] = Counter()

    def add(self, stage: Stage, trouble: Trouble, *, times: int = 1) -> None:
        """Meet `trouble` the next `times` times that somebody gets to `stage`."""
        self._queues[stage].extend([trouble] * times)

    def refuse(self, address: str, line: str = "550 5.1.1 No such user here") -> None:
        """Refuse every mail for `address` from now on."""
        self._refused[address.lower()] = line

    def greylist(self, times: int) -> None:
        """Put off each pair of sender and recipient this many times before accepting."""
        self._grey = times

    def take(self, stage: Stage) -> Trouble | None:
        """The trouble that is met at `stage` now, if any."""
        queue = self._queues[stage]
        return queue.popleft() if queue else None

    def about(self, sender: str, recipient: str) -> str | None:
        """The line with which this recipient is refused or put off, or None."""
        if line := self._refused.get(recipient.lower()):
            return line
        pair = (sender.lower(), recipient.lower())
        if self._tried[pair] < self._grey:
            self._tried[pair] += 1
            return "450 4.7.1 Greylisted, try again later"
        return None
