"""When something that failed is tried again, and when it is given up."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final, assert_never

from engine.rules.durations import LONGEST, parse_duration
from engine.rules.wording import BadRule, is_sequence, is_table, is_whole, shown

ATTEMPTS_MAX: Final = 100
FACTOR_MAX: Final = 10.0
CLASSES_MAX: Final = 50
CLASS_NAME: Final = re.compile(r"[A-Za-z_][\w.]{0,199}")
KEYS: Final = (
    "attempts", "first_delay", "growth", "factor", "longest_delay", "only", "never", "no_effect",
)  # fmt: skip

# The schedule that receivers of Standard Webhooks know: about three days in all.
DELIVERY_SCHEDULE: Final = (
    timedelta(),
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)


class Growth(StrEnum):
    """How each wait follows from the first one."""

    EXPONENTIAL = "exponential"
    LINEAR = "linear"
    FIBONACCI = "fibonacci"


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """How often a step is tried in all, and how long it waits in between; `factor` is of exponential growth.

    Classes of errors are names: with `only` nothing else is tried again, what is in `never` is not, and
    what is in `no_effect` certainly did nothing, and is. An error is of its own class and of all above.
    """

    attempts: int = 3
    first_delay: timedelta = timedelta(seconds=1)
    factor: float = 2.0
    longest_delay: timedelta = timedelta(minutes=5)
    growth: Growth = Growth.EXPONENTIAL
    only: frozenset[str] | None = None
    never: frozenset[str] = frozenset()
    no_effect: frozenset[str] = frozenset()

    def is_for(self, classes: Collection[str], *, did_nothing: bool) -> bool:
        """Whether an error of these classes is tried again; where both lists have one, it is not.

        What certainly `did_nothing` need not be in `only`.
        """
        is_listed = did_nothing or self.only is None or not self.only.isdisjoint(classes)
        return is_listed and self.never.isdisjoint(classes)


# Slack and mail answer again within seconds or hours: from 1 s to 5 min, about six hours in all.
_MESSAGE: Final = Retry(attempts=82)


def parse_retries(raw: object) -> Retry:
    """The retries somebody wrote: how often to try *again* (0 is once in all), or a table.

    The table may hold `attempts` (in all), `first_delay` and `longest_delay` (durations), `factor`,
    `growth`, and the classes of errors `only`, `never` and `no_effect`, each a name, a class or a list
    of them; what it leaves out stays as `Retry` has it.

    Raises:
        BadRule: `bad_retries`, or `bad_duration`, if it says anything else, more than 100 attempts,
            a factor outside 1 to 10, or one for a growth that has none.
    """
    if is_whole(raw) and 0 <= raw < ATTEMPTS_MAX:
        return Retry(attempts=raw + 1)
    if not is_table(raw):
        raise BadRule(
            "bad_retries",
            f"{shown(raw)} is not a number of retries. Write 0 to {ATTEMPTS_MAX - 1}, or a table "
            'as in {"attempts": 3, "first_delay": "1s", "factor": 2, "longest_delay": "5m"}.',
        )
    for key in raw:
        if key not in KEYS:
            raise BadRule("bad_retries", f"{shown(key)} is unknown. Write {', '.join(KEYS)}.")
    return _from_table(raw)


def next_delay(retry: Retry, attempt: int, *, jitter: float) -> timedelta | None:
    """How long to wait after the failed `attempt`, counted from 1; None is giving up.

    The wait is `first_delay * factor ** (attempt - 1)`, or of linear growth `first_delay * attempt`, or
    as many times that as the Fibonacci number says (1, 1, 2, 3, 5); at most `longest_delay`, less up to
    half of it: `jitter` from 0 (nothing less) to 1, so that those who fail together come back apart.
    """
    if attempt >= retry.attempts:
        return None
    grown = retry.first_delay.total_seconds() * _times(retry, attempt)
    seconds = min(grown, retry.longest_delay.total_seconds())
    return timedelta(seconds=seconds * (1 - jitter / 2))


def delivery_delay(channel_kind: str, attempt: int, jitter: float) -> timedelta | None:
    """How long to wait before the next delivery when `attempt` have been made; None is giving up.

    The first delivery does not wait. A webhook keeps its schedule and up to a tenth longer.
    """
    if channel_kind == "webhook":
        if attempt >= len(DELIVERY_SCHEDULE):
            return None
        return DELIVERY_SCHEDULE[attempt] * (1 + jitter / 10)
    return next_delay(_MESSAGE, attempt, jitter=jitter) if attempt else timedelta()


def _times(retry: Retry, attempt: int) -> float:
    match retry.growth:
        case Growth.EXPONENTIAL:
            return retry.factor ** (attempt - 1)
        case Growth.LINEAR:
            return attempt
        case Growth.FIBONACCI:
            last, following = 1, 1
            for _ in range(attempt - 1):
                last, following = following, last + following
            return last
        case _:
            assert_never(retry.growth)


def _from_table(table: Mapping[object, object]) -> Retry:
    default = Retry()
    retry = Retry(
        attempts=_attempts(table.get("attempts", default.attempts)),
        first_delay=_delay(table.get("first_delay", default.first_delay)),
        factor=_factor(table.get("factor", default.factor)),
        longest_delay=_delay(table.get("longest_delay", default.longest_delay)),
        growth=_growth(table.get("growth", default.growth)),
        only=_classes("only", table["only"]) if "only" in table else None,
        never=_classes("never", table.get("never", ())),
        no_effect=_classes("no_effect", table.get("no_effect", ())),
    )
    if retry.growth is not Growth.EXPONENTIAL and "factor" in table:
        raise BadRule("bad_retries", f"A factor is of exponential growth, not {retry.growth}.")
    if retry.longest_delay < retry.first_delay:
        raise BadRule("bad_retries", "longest_delay is shorter than first_delay. Write it longer.")
    return retry


def _attempts(value: object) -> int:
    if not is_whole(value) or not 1 <= value <= ATTEMPTS_MAX:
        raise BadRule(
            "bad_retries", f"attempts is {shown(value)}. Write a whole number, 1 to {ATTEMPTS_MAX}."
        )
    return value


def _factor(value: object) -> float:
    # NaN compares as false, so it falls through to the refusal.
    if isinstance(value, int | float) and value is not True and 1 <= value <= FACTOR_MAX:
        return float(value)
    raise BadRule(
        "bad_retries", f"factor is {shown(value)}. Write a number from 1 to {FACTOR_MAX:g}."
    )


def _growth(value: object) -> Growth:
    if isinstance(value, str) and value in set(Growth):
        return Growth(value)
    raise BadRule("bad_retries", f"growth is {shown(value)}. Write {', '.join(Growth)}.")


def _delay(value: object) -> timedelta:
    if isinstance(value, timedelta) and timedelta() < value <= LONGEST:
        return value
    if isinstance(value, str):
        return parse_duration(value)
    raise BadRule("bad_retries", f"{shown(value)} is not a delay. Write one as in 1s or 5m.")


def _classes(key: str, value: object) -> frozenset[str]:
    given = value if is_sequence(value) else [value]
    names = [each.__name__ if isinstance(each, type) else each for each in given]
    found = frozenset(
        each for each in names if isinstance(each, str) and CLASS_NAME.fullmatch(each)
    )
    if len(found) < len({str(each) for each in names}) or len(names) > CLASSES_MAX:
        raise BadRule(
            "bad_retries",
            f"{key} is {shown(value)}. Write the names of classes of errors, as in TimeoutError.",
        )
    if key == "only" and not found:
        raise BadRule("bad_retries", "only names no class of errors, so nothing is tried again.")
    return found
