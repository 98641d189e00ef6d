"""Budgets: caps by scope and period, what still fits under one, and when somebody is to be warned."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Final

from engine.rules.wording import BadRule, shown

WARNED_AT: Final = (50, 75, 90, 100)  # percent spent at which operators are told, once a period
TENANT: Final = "tenant"
KINDS: Final = ("workflow", "run", "agent")

_SCOPED: Final = re.compile(r"(?P<kind>workflow|run|agent):(?P<name>[^\s:][^\s]{0,199})")


class Period(StrEnum):
    """How long a cap holds before it begins anew; `run` is anew for each run, `total` never."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    RUN = "run"
    TOTAL = "total"


class Then(StrEnum):
    """What becomes of a run whose next step no longer fits."""

    FAIL = "fail"
    WAIT = "wait"
    ROLLBACK = "rollback"


class Enforce(StrEnum):
    """Whether a step is refused before it begins, or the run stopped after the step that went over."""

    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """One period: its key, and its bounds in UTC where it has some."""

    key: str
    starts_at: datetime | None = None
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One cap of one period: what is spent, and what is kept back for steps under way."""

    limit: int
    reserved: int = 0
    spent: int = 0

    def __post_init__(self) -> None:
        if min(self.limit, self.reserved, self.spent) < 0:
            raise ValueError("An account never holds less than nothing.")

    @property
    def left(self) -> int:
        """What a step may still ask for."""
        return max(0, self.limit - self.spent - self.reserved)

    def takes(self, asked: int) -> bool:
        """Whether so much fits; exactly the limit does."""
        return self.spent + self.reserved + asked <= self.limit

    def reserve(self, asked: int) -> "Account":
        """Keep so much back.

        Raises:
            ValueError: if it does not fit, or is less than nothing.
        """
        if asked < 0 or not self.takes(asked):
            raise ValueError(f"{asked} does not fit: {self.left} is left of {self.limit}.")
        return replace(self, reserved=self.reserved + asked)

    def settle(self, reserved: int, *, spent: int) -> "Account":
        """Let go of what was kept back, and count what it came to; more than that is counted too."""
        return replace(self, reserved=self.reserved - reserved, spent=self.spent + spent)


def parse_scope(raw: object) -> str:
    """`tenant`, `workflow:NAME`, `run:ID` or `agent:NAME`.

    Raises:
        BadRule: `bad_scope`, for anything else.
    """
    if raw == TENANT:
        return TENANT
    if isinstance(raw, str) and _SCOPED.fullmatch(raw):
        return raw
    raise BadRule(
        "bad_scope",
        f"{shown(raw)} is no scope of a budget. Write tenant, workflow:refund, run:run_… or "
        "agent:researcher.",
    )


def parse_choice(raw: object, kind: type[Period] | type[Then] | type[Enforce]) -> str:
    """One of the words of `kind`.

    Raises:
        BadRule: `bad_budget`, naming the possible ones.
    """
    if isinstance(raw, str) and raw in list(kind):
        return raw
    possible = ", ".join(kind)
    raise BadRule("bad_budget", f"{shown(raw)} is not possible here. Possible are {possible}.")


def window(period: Period, at: datetime, *, run: str) -> Window:
    """The period that `at` falls into. Weeks begin on Monday, and days at midnight UTC."""
    if period is Period.RUN:
        return Window(key=run)
    if period is Period.TOTAL:
        return Window(key="total")
    in_utc = at if at.tzinfo is UTC else at.astimezone(UTC)
    return _window(period, in_utc.replace(minute=0, second=0, microsecond=0))


@lru_cache(maxsize=64)
def _window(period: Period, hour: datetime) -> Window:
    day = hour.replace(hour=0)
    match period:
        case Period.RUN | Period.TOTAL:
            return Window(key=period)
        case Period.HOUR:
            return _bounded(f"{hour:%Y-%m-%dT%H}", hour, hour + timedelta(hours=1))
        case Period.DAY:
            return _bounded(f"{day:%Y-%m-%d}", day, day + timedelta(days=1))
        case Period.WEEK:
            monday = day - timedelta(days=day.weekday())
            return _bounded(f"week {monday:%Y-%m-%d}", monday, monday + timedelta(days=7))
        case Period.MONTH:
            first = day.replace(day=1)
            return _bounded(f"{first:%Y-%m}", first, (first + timedelta(days=32)).replace(day=1))


def _bounded(key: str, starts_at: datetime, ends_at: datetime) -> Window:
    return Window(key=key, starts_at=starts_at, ends_at=ends_at)


def percent(spent: int, limit: int) -> int:
    """How much of the limit is spent, rounded down; a limit of nothing is used up."""
    return 100 if limit == 0 else spent * 100 // limit


def crossed(warned: int, spent: int, limit: int) -> Iterator[int]:
    """The marks above `warned` that are reached, lowest first; none of a limit of nothing."""
    if limit > 0 and warned < WARNED_AT[-1] and spent * 100 >= limit * WARNED_AT[0]:
        reached = percent(spent, limit)
        yield from (each for each in WARNED_AT if warned < each <= reached)


def forecast(spent: int, of: Window, *, now: datetime) -> int | None:
    """What will be spent at the period's end if it goes on as since its beginning; None without an end."""
    if of.starts_at is None or of.ends_at is None:
        return None
    second = timedelta(seconds=1)
    elapsed = max(second, min(now, of.ends_at) - of.starts_at)
    return spent * ((of.ends_at - of.starts_at) // second) // (elapsed // second)
