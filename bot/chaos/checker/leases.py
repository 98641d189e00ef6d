"""Who drove what, and when (I4, I10, I21): every change of a lease, every entry and every call, side by side."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bot.chaos.checker.book import Book, twice
from bot.chaos.checker.world import Effect

# What only the driver of a run writes. Everything else may come from anybody: votes, rungs, verbs.
DRIVERS = frozenset(
    {
        "run.started",
        "run.completed",
        "run.failed",
        "run.rolled_back",
        "rollback.resumed",
        "step.begun",
        "step.finished",
        "step.failed",
        "step.retried",
        "step.retry_scheduled",
        "sleep.started",
        "sleep.ended",
        "value.recorded",
        "checkpoint.created",
        "approval.consumed",
        "compensation.begun",
        "compensation.finished",
        "compensation.failed",
        "compensation.stuck",
        "branches.begun",
        "branches.waiting",
        "branches.woken",
        "branches.ended",
        "child.started",
        "child.undoing",
        "effect.unknown",
        "budget.reserved",
        "budget.exceeded",
        "budget.asked",
        "patch.recorded",
    }
)

ENDINGS = frozenset({"step.finished", "step.failed"})
AT_ONCE = 5_000_000  # microseconds within which whoever wakes up has learned that it lost its runs
TOGETHER = 1_000_000  # by so much two readings of one clock may seem to be in the wrong order
LONGEST = 600_000_000  # no deed takes longer from its beginning to its end


@dataclass(frozen=True, kw_only=True)
class Change:
    """One change of a run's lease, in the order of `number`; moments are microseconds.

    `before` and `until` are the token that was there and when it ran out, `now` is what the
    database's own clock said, `at` what the machine's did.
    """

    number: int
    run: str
    before: str | None
    token: str | None
    until: int | None
    who: str
    transaction: str
    now: int
    at: int


@dataclass(frozen=True, kw_only=True)
class Written:
    """One entry of a journal, and who wrote it in which transaction.

    `at` is its own moment, `now` what the database's clock said when it was written.
    """

    number: int
    run: str
    position: int
    kind: str
    who: str
    transaction: str
    at: int | None = None
    now: int | None = None


@dataclass(frozen=True, kw_only=True)
class Switched:
    """One change of a kill switch, in the same order as leases and entries."""

    number: int
    tenant: str
    scope: str
    is_engaged: bool


@dataclass(frozen=True, kw_only=True)
class Frozen:
    """A process that was stopped, and went on as if nothing had happened."""

    who: str
    since: int
    until: int


@dataclass(frozen=True, kw_only=True)
class Drives:
    """All that is known of who drove what."""

    changes: Sequence[Change] = ()
    written: Sequence[Written] = ()
    frozen: Sequence[Frozen] = ()
    switched: Sequence[Switched] = ()


@dataclass(frozen=True, kw_only=True)
class Hold:
    """One lease from its claim to its end; `end` is None while it is held."""

    claim: Change
    end: Change | None


def holds(drives: Drives) -> dict[str, list[Hold]]:
    """The leases of each run, one after the other."""
    found: defaultdict[str, list[Hold]] = defaultdict(list)
    for run, changes in _by_run(drives).items():
        for change, following in zip(changes, [*changes[1:], None], strict=True):
            if change.token is not None:
                found[run].append(Hold(claim=change, end=following))
    return found


def wrongly_given(drives: Drives) -> Iterator[str]:
    """Leases that were given while another one ran, or a second time."""
    tokens = [change.token for change in drives.changes if change.token is not None]
    yield from (f"I4: the lease {token} was given twice" for token in sorted(twice(tokens)))
    for run, changes in _by_run(drives).items():
        held: str | None = None
        for change in changes:
            if change.before != held:
                yield f"I4: run {run} lost the lease {held} unseen"
            is_live = change.until is not None and change.until > change.now
            if change.token is not None and change.before is not None and is_live:
                yield f"I4: run {run} was given to {change.who} while another lease ran"
            held = change.token


def foreign_entries(drives: Drives) -> Iterator[str]:
    """Entries of a driver that did not hold the run when it wrote."""
    known = holds(drives)
    settled = {each.transaction for each in drives.written if each.kind == "effect.settled"}
    for entry in drives.written:
        # Whoever settles what is unknown says in the same breath how the step ended.
        is_said_by_people = entry.kind in ENDINGS and entry.transaction in settled
        if entry.kind not in DRIVERS or is_said_by_people:
            continue
        if not any(_covers(hold, entry) for hold in known.get(entry.run, [])):
            yield (
                f"I4: {entry.kind} at position {entry.position} of {entry.run} was written by "
                f"{entry.who}, which did not hold it"
            )


def foreign_moments(drives: Drives) -> Iterator[str]:
    """Entries whose moment is not the database's own, but that of some machine's clock (I21)."""
    for entry in drives.written:
        if entry.at is None or entry.now is None:
            continue
        if not entry.at - TOGETHER <= entry.now <= entry.at + LONGEST:
            yield (
                f"I21: {entry.kind} at position {entry.position} of {entry.run} has a moment "
                f"{(entry.at - entry.now) / 1e6:+.1f} s from the database's own"
            )


def foreign_calls(drives: Drives, effects: Sequence[Effect]) -> Iterator[str]:
    """Calls from somebody who did not hold the run, and was not asleep when it lost it."""
    late = set(late_calls(drives, effects))
    known = holds(drives)
    for effect in effects:
        run, _path = effect.place
        mine = [hold for hold in known.get(run, []) if hold.claim.who == effect.who]
        if not any(_is_open(hold, effect) for hold in mine) and effect not in late:
            yield f"I4: {effect.request} was done by {effect.who}, which did not hold the run"


def late_calls(drives: Drives, effects: Sequence[Effect]) -> Iterator[Effect]:
    """Calls of somebody who lost the run in the moment before: stopped, or starved of its processor.

    No database can hold such a call back: it was on its way. It asks for what was asked before,
    under the same request id, and what its caller writes afterwards is refused.
    """
    known = holds(drives)
    for effect in effects:
        run, _path = effect.place
        mine = [hold for hold in known.get(run, []) if hold.claim.who == effect.who]
        if not any(_is_open(hold, effect) for hold in mine) and any(
            _slept(drives, effect, hold) or _just_ended(hold, effect) for hold in mine
        ):
            yield effect


def repeated(drives: Drives, effects: Sequence[Effect], failed: Mapping[str, int]) -> Iterator[str]:
    """Requests that were called more often than somebody held the run, counting failures on record."""
    known = holds(drives)
    for request, count in Counter(effect.request for effect in effects).items():
        claims = len(known.get(request.split(":")[0], []))
        if count > claims + failed.get(request, 0):
            yield f"I3: {request} was done {count} times over {claims} leases"


def failures(book: Book, effects: Sequence[Effect]) -> dict[str, int]:
    """How many failures of each request are on record."""
    found = Counter(
        (run, entry["path"], entry["kind"].partition(".")[0])
        for run, entries in book.journals.items()
        for entry in entries
        if entry["kind"] in {"step.failed", "compensation.failed", "step.retry_scheduled"}
    )
    return {
        each.request: found[(*each.place, "compensation" if each.is_undo else "step")]
        for each in effects
    }


def _covers(hold: Hold, entry: Written) -> bool:
    if hold.claim.who != entry.who:
        return False
    begun = hold.claim.number < entry.number or hold.claim.transaction == entry.transaction
    end = hold.end
    return begun and (
        end is None or entry.number < end.number or end.transaction == entry.transaction
    )


def _is_open(hold: Hold, effect: Effect) -> bool:
    return hold.claim.at <= effect.at and (hold.end is None or effect.at <= hold.end.at)


def _just_ended(hold: Hold, effect: Effect) -> bool:
    return hold.end is not None and hold.end.at < effect.at <= hold.end.at + AT_ONCE


def _slept(drives: Drives, effect: Effect, hold: Hold) -> bool:
    end = None if hold.end is None else hold.end.at
    return any(
        each.who == effect.who
        and (end is None or each.since <= end)
        and hold.claim.at <= each.until <= effect.at <= each.until + AT_ONCE
        for each in drives.frozen
    )


def _by_run(drives: Drives) -> dict[str, list[Change]]:
    found: defaultdict[str, list[Change]] = defaultdict(list)
    for change in sorted(drives.changes, key=lambda each: each.number):
        found[change.run].append(change)
    return found
