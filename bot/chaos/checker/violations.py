"""An independent checker: what the file, the world's ledger and the messages say together must hold."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bot.chaos.checker import (
    agreed,
    anchored,
    apart,
    chains,
    consent,
    leases,
    once,
    progress,
    pruned,
    purse,
    states,
    stops,
    undone,
    world,
)
from bot.chaos.checker.apart import Canary
from bot.chaos.checker.book import Book
from bot.chaos.checker.consent import Acked
from bot.chaos.checker.leases import Change, Drives, Frozen, Switched, Written
from bot.chaos.checker.world import Effect, Shown

__all__ = [
    "Acked",
    "Canary",
    "Change",
    "Crowd",
    "Drives",
    "Effect",
    "Evidence",
    "Frozen",
    "Shown",
    "Switched",
    "Written",
    "violations",
]


@dataclass(frozen=True, kw_only=True)
class Crowd:
    """What many processes left behind, which one alone does not have.

    `posted` are the keys that arrived on each medium whose messages carry one, `live` the addresses
    at which an approval can still be decided.
    """

    drives: Drives
    posted: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    live: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What was seen outside the database. `names` are the steps that write the ledger, each time.

    `channel` is the one whose every message is in `shown`. `now`, in microseconds, says that
    everything had its time and nothing is under way. `kills` bounds how often one process, killed
    and started again, may have done a thing twice; for a `crowd` it is bounded by its leases.
    `made` names the request id of a receipt for each time that its effect was made, where that is
    known. `canaries` are secrets that were planted, and `said` are texts that left the product.
    """

    effects: Sequence[Effect] = ()
    acked: Sequence[Acked] = ()
    shown: Sequence[Shown] = ()
    kills: int = 0
    names: frozenset[str] = frozenset()
    channel: str | None = None
    now: int | None = None
    crowd: Crowd | None = None
    made: Sequence[str] | None = None
    canaries: Sequence[Canary] = ()
    said: Mapping[str, str] = field(default_factory=dict[str, str])


NOTHING_SEEN = Evidence()


def violations(book: Book, seen: Evidence = NOTHING_SEEN) -> list[str]:
    """Sentences that begin with the invariant they break (RELIABILITY 3a); none when all hold."""
    told = pruned.left(book)
    together = _alone(told, seen) if seen.crowd is None else _together(told, seen, seen.crowd)
    return [*book.faults, *_unpruned(book), *_within(told), *_outside(told, seen), *together]


def _unpruned(book: Book) -> Iterator[str]:
    """What is judged of everything, pruned or not."""
    yield from chains.broken_chains(book)
    yield from anchored.broken_anchors(book)
    yield from apart.astray(book)


def _within(book: Book) -> Iterator[str]:
    yield from states.contradictions(book)
    yield from consent.unfounded(book)
    yield from agreed.wrong_outcomes(book)
    yield from agreed.begun_otherwise(book)
    yield from once.repeated_for_good(book)
    yield from once.undone_for_good(book)
    yield from once.wrong_receipts(book)
    yield from progress.misheld(book)
    yield from progress.adrift(book)
    yield from world.unannounced(book)
    yield from undone.wrong_rollbacks(book)
    yield from purse.overspent(book)
    yield from stops.wrong_switches(book)
    yield from stops.driven_though_set_aside(book)


def _outside(book: Book, seen: Evidence) -> Iterator[str]:
    yield from consent.lost(book, seen.acked)
    yield from once.called_too_often(book, seen.effects)
    yield from undone.out_of_order(book, seen.effects)
    if seen.made is not None:
        yield from once.made_too_often(book, seen.made)
    yield from apart.leaked(book, seen.canaries, seen.said)
    yield from world.missing_effects(book, seen.effects, seen.names)
    yield from world.wrong_messages(book, seen.shown)
    if seen.channel is not None:
        yield from world.unsent(book, seen.shown, seen.channel)
    if seen.now is not None:
        yield from progress.unfinished(book, seen.now)
        yield from world.stale(book, seen.shown)


def _alone(book: Book, seen: Evidence) -> Iterator[str]:
    yield from stops.begun_while_halted(book)
    yield from world.wrong_effects(book, seen.effects)
    yield from world.repeated_effects(book, seen.effects, kills=seen.kills)
    yield from world.repeated_messages(seen.shown, kills=seen.kills)


def _together(book: Book, seen: Evidence, crowd: Crowd) -> Iterator[str]:
    drives = crowd.drives
    late = frozenset(leases.late_calls(drives, seen.effects))
    yield from world.wrong_effects(book, seen.effects, late)
    yield from leases.wrongly_given(drives)
    yield from leases.foreign_entries(drives)
    yield from leases.foreign_moments(drives)
    yield from stops.begun_after_halt(book, drives)
    yield from stops.claimed_though_set_aside(drives)
    yield from leases.foreign_calls(drives, seen.effects)
    yield from leases.repeated(drives, seen.effects, leases.failures(book, seen.effects))
    yield from world.oversent(book, seen.shown)
    yield from world.never_arrived(book, crowd.posted)
    if seen.now is not None:
        yield from world.still_live(book, crowd.live)
