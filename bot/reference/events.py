"""`docs/reference/events.md`: every event of the log, with its fields and a sentence."""

from typing import Final

from bot.reference.sources import Logged, logged, words
from bot.reference.tables import code, table

_INTRODUCTION: Final = """\
# Events in the log

This page is made from the source; a test keeps it complete.

The log goes to stderr: one line for each event, for people, or as JSON with
`SIGNOFF_LOG_FORMAT=json`. Events have stable names and fields, and never hold a token, a secret or
the content of a request. What happens to every single run is logged only by `signoff serve --verbose`;
warnings and errors always are. The log is for operators. Who decided what is in the journals, which
are kept in the database.

Every line also has `timestamp`, `level` and `logger`; what is logged during a request has `request`.
"""


def events_page() -> str:
    """The whole page as Markdown; the same text every time."""
    said = words("events")
    by_event: dict[str, list[Logged]] = {}
    for each in logged():
        by_event.setdefault(each.event, []).append(each)
    rows = (
        (
            code(event),
            ", ".join(sorted({_level(each) for each in places})),
            ", ".join(sorted({code(field) for each in places for field in _fields(each)})),
            said.get(event, ""),
        )
        for event, places in by_event.items()
    )
    lines = table(("event", "level", "fields", "says"), rows)
    return "\n".join((_INTRODUCTION, *lines, ""))


def _level(each: Logged) -> str:
    return "error" if each.level == "exception" else each.level


def _fields(each: Logged) -> list[str]:
    return [field for field in each.fields if field != "exc_info"]
