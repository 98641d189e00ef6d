"""How moments and durations are written in pages: in UTC first, in the reader's zone by script."""

from datetime import UTC, datetime, timedelta
from typing import Final

from markupsafe import Markup

_NOTHING: Final = "—"
_UNITS: Final = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def moment(value: str | datetime | None) -> Markup | str:
    """A moment in UTC; the page's script shows it in the reader's own zone."""
    if value is None:
        return _NOTHING
    at = _datetime(value)
    return Markup('<time datetime="{}" data-moment>{}</time>').format(
        _stamp(at), f"{at.day} {at:%b %Y, %H:%M} UTC"
    )


def ago(value: str | datetime | None, now: str | datetime) -> Markup | str:
    """How long before `now` something was; "just now" up to a minute, and for what lies ahead."""
    if value is None:
        return _NOTHING
    at = _datetime(value)
    past = _datetime(now) - at
    text = "just now" if past < timedelta(minutes=1) else f"{_largest_unit(past)} ago"
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        _stamp(at), f"{at.day} {at:%b %Y, %H:%M:%S} UTC", text
    )


def countdown(value: str | datetime | None, now: str | datetime) -> Markup | str:
    """How long is left until a deadline; the page's script counts on."""
    if value is None:
        return "no deadline"
    at = _datetime(value)
    left = at - _datetime(now)
    text = f"{_two_units(left)} left" if left > timedelta() else "time is up"
    return Markup('<time datetime="{}" title="{}" data-countdown>{}</time>').format(
        _stamp(at), f"until {at.day} {at:%b %Y, %H:%M} UTC", text
    )


def duration(started: str | datetime | None, ended: str | datetime | None) -> str:
    """How long something took, in at most two units; a dash while it is not over."""
    if started is None or ended is None:
        return _NOTHING
    spent = _datetime(ended) - _datetime(started)
    if spent < timedelta(seconds=10):
        return f"{max(0, round(spent / timedelta(milliseconds=1))):,} ms".replace(",", " ")
    return _two_units(spent)


def _datetime(value: str | datetime) -> datetime:
    at = datetime.fromisoformat(value) if isinstance(value, str) else value
    return at.astimezone(UTC)


def _stamp(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def _largest_unit(spent: timedelta) -> str:
    return _two_units(spent).split(" ")[0]


def _two_units(spent: timedelta) -> str:
    rest = int(spent.total_seconds())
    parts: list[str] = []
    for size, unit in _UNITS:
        count, rest = divmod(rest, size)
        if count or parts:
            parts.append(f"{count}\u00a0{unit}" if count else "")
        if len(parts) == 2:
            break
    return " ".join(part for part in parts if part) or "0\u00a0s"
