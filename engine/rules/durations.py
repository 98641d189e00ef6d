"""Durations as people write them: `90s`, `30m`, `4h`, `2d`."""

import re
from datetime import timedelta
from typing import Final

from engine.rules.wording import BadRule, shown

LONGEST: Final = timedelta(days=365)

_UNITS: Final = {
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
}
_WRITTEN: Final = re.compile(r"([1-9][0-9]{0,8})([smhd])")


def parse_duration(text: str) -> timedelta:
    """What `text` says: a whole number from 1 and one unit, at most 365 days.

    Raises:
        BadRule: `bad_duration`, if it says anything else.
    """
    found = _WRITTEN.fullmatch(text)
    if found is None:
        raise BadRule(
            "bad_duration",
            f"{shown(text)} is not a duration. Write a whole number and a unit: 90s, 30m, 4h, 2d.",
        )
    duration = int(found[1]) * _UNITS[found[2]]
    if duration > LONGEST:
        raise BadRule("bad_duration", f"{shown(text)} is longer than a year. Write 365d or less.")
    return duration


def say_duration(duration: timedelta) -> str:
    """`duration` in the largest unit that says it exactly; fractions of a second are dropped.

    `parse_duration` reads it back, unless it is shorter than a second or longer than a year.
    """
    whole = duration // _UNITS["s"] * _UNITS["s"]
    unit = next(name for name, length in _UNITS.items() if whole % length == timedelta())
    return f"{whole // _UNITS[unit]}{unit}" if whole else "0s"
