"""What a trace is made of: spans, what happened in them, and what they tell of their cost."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from engine.rules.costs import TOKENS, Amounts, currency_of, say_all
from engine.rules.threads import Thread

Fact = str | int | bool

BAD: Final = frozenset({"failed", "stuck", "unknown", "dead"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """A moment within a span."""

    name: str
    at: datetime
    facts: Mapping[str, Fact]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Something that took time. Without an end it is under way; `is_bad` says that it went wrong."""

    id: str
    parent: str | None
    kind: str
    name: str
    began_at: datetime
    ended_at: datetime | None = None
    outcome: str | None = None
    facts: Mapping[str, Fact] = field(default_factory=dict[str, Fact])
    cost: Amounts = field(default_factory=dict[str, int])
    happened: tuple[Happening, ...] = ()
    left_out: int = 0

    @property
    def is_bad(self) -> bool:
        return self.outcome in BAD


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """One delivery of a message about an approval, as far as a trace tells it."""

    id: str
    approval: str
    channel: str
    event: str
    status: str
    attempts: int
    began_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Whose trace it is: the run, the thread it hangs on, and what every span of it says."""

    run: str
    thread: Thread
    facts: Mapping[str, Fact]


def money_facts(cost: Amounts) -> dict[str, Fact]:
    """What a span says of its cost: in words, in millionths of its currency, and its tokens."""
    facts: dict[str, Fact] = {}
    currency = currency_of(cost)
    if currency is not None:
        facts["signoff.cost"] = say_all({currency: cost[currency]})
        facts["signoff.cost_micros"] = cost[currency]
        facts["signoff.currency"] = currency
    if TOKENS in cost:
        facts["signoff.tokens"] = cost[TOKENS]
    return facts
