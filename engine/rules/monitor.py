"""Watching runs: what a run has done so far in figures, and the rules that find something in them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, TypeAlias, assert_never

from engine.rules.durations import say_duration

TOLERANCE: Final = 20  # per cent by which a run may be ahead of or behind what is expected
JUDGED_FROM: Final = 20  # per cent of the way before which nobody can tell how fast it is


class Then(StrEnum):
    """What a monitor does, besides telling the operators."""

    ALERT = "alert"
    ASK = "ask"
    CHECKPOINT = "checkpoint"
    PAUSE = "pause"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A run in figures. `busy` is how long it has worked: waiting for people or an operator is no work.

    `calls` are the moments at which attempts at steps ended, `errors` those that failed, `asked` those at
    which approvals were opened that still are. `spent` says of
    each budget above the run which share of it is used, in per cent. `facts` are what conditions ask.
    """

    workflow: str
    began_at: datetime
    now: datetime
    busy: timedelta
    calls: Sequence[datetime] = ()
    errors: Sequence[datetime] = ()
    steps: int = 0
    asked: Sequence[datetime] = ()
    spent: Mapping[str, int] = field(default_factory=dict[str, int])
    facts: Mapping[str, object] = field(default_factory=dict[str, object])


@dataclass(frozen=True, slots=True, kw_only=True)
class Calls:
    """More than `more_than` calls within a while: a spike."""

    more_than: int
    within: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Errors:
    """More than `more_than` failed calls within a while."""

    more_than: int
    within: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """So many steps in such a time, give or take a fifth: behind it the run is stuck, ahead too fast."""

    expected: timedelta
    steps: int
    tolerance: int = TOLERANCE


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A budget above the run of which so many per cent are used."""

    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Overdue:
    """An approval that has been open for longer than `after`."""

    after: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """A condition of somebody's own; `holds` says whether it does, and never fails."""

    text: str
    holds: Callable[[Mapping[str, object]], bool]


Watch: TypeAlias = Calls | Errors | Timeline | Limit | Overdue | Own


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitor:
    """One rule, for the runs of one workflow or of all. It fires once for each run and `window`."""

    name: str
    watch: Watch
    then: Then = Then.ALERT
    workflow: str | None = None
    window: timedelta = timedelta(hours=1)

    def is_about(self, workflow: str) -> bool:
        """Whether runs of this workflow are watched."""
        return self.workflow in {None, workflow}

    def window_of(self, reading: Reading) -> int:
        """Which window this moment is in, counted from the run's beginning."""
        return max(0, (reading.now - reading.began_at) // self.window)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a rule found: its sentence, and what somebody might do about it."""

    says: str
    advice: str


def judge(watch: Watch, reading: Reading) -> Finding | None:
    """What `watch` finds in `reading`; None when all is as it should be. At a limit nothing is found yet."""
    match watch:
        case Calls():
            count = _within(reading.calls, watch.within, reading.now)
            found = (
                f"{count} calls within {say_duration(watch.within)}, more than {watch.more_than}."
            )
            advice = "Look for a loop that calls the same thing again and again."
            return Finding(says=found, advice=advice) if count > watch.more_than else None
        case Errors():
            count = _within(reading.errors, watch.within, reading.now)
            found = (
                f"{count} errors within {say_duration(watch.within)}, more than {watch.more_than}."
            )
            advice = "Look at the errors of its steps, and whether what they call is there."
            return Finding(says=found, advice=advice) if count > watch.more_than else None
        case Timeline():
            return _against(watch, reading)
        case Limit():
            return _near(watch, reading)
        case Overdue():
            return _overdue(watch, reading)
        case Own():
            return _own(watch, reading)
    assert_never(watch)


def _within(moments: Sequence[datetime], window: timedelta, now: datetime) -> int:
    return sum(now - window < moment <= now for moment in moments)


def _against(watch: Timeline, reading: Reading) -> Finding | None:
    """Behind or ahead by more than the tolerance of what should be done by now."""
    done = reading.steps * 100 / watch.steps
    due = reading.busy * 100 / watch.expected
    said = (
        f"{reading.steps} of {watch.steps} steps after {say_duration(_whole(reading.busy))} of work"
    )
    if due >= JUDGED_FROM and done < due * (100 - watch.tolerance) / 100:
        advice = "See at which step it is, and whether that one still gets anywhere."
        return Finding(says=f"It seems stuck: {said}.", advice=advice)
    if done >= JUDGED_FROM and done > due * (100 + watch.tolerance) / 100:
        advice = (
            "See whether its steps did what they should: what is too fast may have done nothing."
        )
        return Finding(says=f"It is too fast: {said}.", advice=advice)
    return None


def _near(watch: Limit, reading: Reading) -> Finding | None:
    near = {name: share for name, share in reading.spent.items() if share >= watch.at}
    if not near:
        return None
    said = ", ".join(f"{name} is used to {share} %" for name, share in sorted(near.items()))
    return Finding(says=f"{said}.", advice="Grant more in time, or end what is not needed.")


def _overdue(watch: Overdue, reading: Reading) -> Finding | None:
    since = min(reading.asked, default=reading.now)
    if reading.now - since <= watch.after:
        return None
    waits, allowed = say_duration(_whole(reading.now - since)), say_duration(watch.after)
    return Finding(
        says=f"An approval has been open for {waits}, more than {allowed}.",
        advice="Remind those who are asked, delegate it, or ask others.",
    )


def _own(watch: Own, reading: Reading) -> Finding | None:
    if not watch.holds(reading.facts):
        return None
    return Finding(
        says=f"{watch.text} holds.", advice="Whoever wrote the monitor knows what it means."
    )


def _whole(duration: timedelta) -> timedelta:
    return timedelta(seconds=round(duration.total_seconds()))
