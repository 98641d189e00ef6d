"""An independent checker: what the file, the world's ledger and the messages say together must hold."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.chaos.checker import chains, consent, progress, states, world
from bot.chaos.checker.book import Book
from bot.chaos.checker.consent import Acked
from bot.chaos.checker.world import Effect, Shown

__all__ = ["Acked", "Effect", "Evidence", "Shown", "violations"]


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What was seen outside the file. `names` are the steps that write the ledger, each time.

    `channel` is the one whose every message is in `shown`. `now`, in microseconds, says that
    everything had its time and nothing is under way.
    """

    effects: Sequence[Effect] = ()
    acked: Sequence[Acked] = ()
    shown: Sequence[Shown] = ()
    kills: int = 0
    names: frozenset[str] = frozenset()
    channel: str | None = None
    now: int | None = None


NOTHING_SEEN = Evidence()


def violations(book: Book, seen: Evidence = NOTHING_SEEN) -> list[str]:
    """Sentences that begin with the invariant they break (RELIABILITY 3a); none when all hold."""
    return [*book.faults, *_within(book), *_outside(book, seen)]


def _within(book: Book) -> Iterator[str]:
    yield from chains.broken_chains(book)
    yield from states.contradictions(book)
    yield from consent.unfounded(book)
    yield from progress.misheld(book)
    yield from progress.adrift(book)
    yield from progress.astray(book)
    yield from world.unannounced(book)
    yield from world.wrong_rollbacks(book)


def _outside(book: Book, seen: Evidence) -> Iterator[str]:
    yield from consent.lost(book, seen.acked)
    yield from world.wrong_effects(book, seen.effects, kills=seen.kills)
    yield from world.missing_effects(book, seen.effects, seen.names)
    yield from world.wrong_messages(book, seen.shown, kills=seen.kills)
    if seen.channel is not None:
        yield from world.unsent(book, seen.shown, seen.channel)
    if seen.now is not None:
        yield from progress.unfinished(book, seen.now)
        yield from world.stale(book, seen.shown)
