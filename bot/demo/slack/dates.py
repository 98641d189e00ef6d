"""Slack's `<!date^…>`: a moment as its reader's own clock shows it."""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_TOKEN: Final = re.compile(r"\{(\w+)\}")


def zone(name: str) -> tzinfo:
    """The time zone of that name; UTC when this machine does not know it."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def shown_date(unix: int, pattern: str, *, now: datetime, where: tzinfo) -> str:
    """`pattern` with its tokens filled in; a token Slack does not know stays as it is."""
    moment = datetime.fromtimestamp(unix, tz=where)
    return _TOKEN.sub(lambda token: _filled(token, moment, now.astimezone(where)), pattern)


def _filled(token: re.Match[str], moment: datetime, now: datetime) -> str:
    day = f"{moment.day}"
    name = token[1]
    if name.endswith("_pretty") and (near := _near(moment, now)):
        return near
    match name.removesuffix("_pretty"):
        case "date_num":
            return f"{moment:%Y-%m-%d}"
        case "date":
            return f"{moment:%B} {day}, {moment:%Y}"
        case "date_short":
            return f"{moment:%b} {day}, {moment:%Y}"
        case "date_long":
            return f"{moment:%A}, {moment:%B} {day}, {moment:%Y}"
        case "time":
            return f"{moment:%H:%M}"
        case "time_secs":
            return f"{moment:%H:%M:%S}"
        case "ago":
            return _ago(now - moment)
        case _:
            return token[0]


def _near(moment: datetime, now: datetime) -> str:
    days = (moment.date() - now.date()).days
    return {-1: "yesterday", 0: "today", 1: "tomorrow"}.get(days, "")


def _ago(passed: timedelta) -> str:
    minutes = int(abs(passed.total_seconds()) // 60)
    size, unit = (minutes, "minute") if minutes < 60 else (minutes // 60, "hour")
    size, unit = (size, unit) if minutes < 2_880 else (minutes // 1_440, "day")
    words = f"{size} {unit}{'' if size == 1 else 's'}"
    return f"{words} ago" if passed >= timedelta(0) else f"in {words}"
