"""How a terminal draws anything: marks with words beside them, so that no colour is needed."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from rich.table import Table
from rich.text import Text

from bot.cli.listing import Listing
from channels.saying import text_of
from channels.visible import visible

UNDONE: Final = ("↶", "magenta")
_MARKS: Final[Mapping[str, tuple[str, str]]] = {
    "finished": ("✓", "green"),
    "completed": ("✓", "green"),
    "approved": ("✓", "green"),
    "approve": ("✓", "green"),
    "failed": ("✗", "red"),
    "rejected": ("✗", "red"),
    "reject": ("✗", "red"),
    "expired": ("✗", "red"),
    "dead": ("✗", "red"),
    "cancelled": ("–", "dim"),
    "skipped": ("–", "dim"),
    "abstain": ("–", "dim"),
    "waiting": ("…", "yellow"),
    "open": ("…", "yellow"),
    "pending": ("…", "yellow"),
    "request_changes": ("?", "yellow"),
    "changes_requested": ("?", "yellow"),
    "begun": ("▸", "cyan"),
    "running": ("▸", "cyan"),
    "rolling_back": ("↶", "magenta"),
    "rolled_back": ("↶", "magenta"),
}
_VALUE_CHARS_MAX: Final = 2_000


def moment(at: datetime | None) -> str:
    """`at` in UTC, to the second; a dash where there is none."""
    return "–" if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def stamp(at: str) -> str:
    """A moment as the API writes it, as people read it."""
    return moment(datetime.fromisoformat(at))


def spent(began: datetime, ended: datetime | None) -> str:
    """How long something took; empty while it is not over."""
    return "" if ended is None else f"{(ended - began).total_seconds():.2f} s"


def value(item: object) -> str:
    """A JSON value on one line, cut where it is very long."""
    text = text_of(item)
    if len(text) <= _VALUE_CHARS_MAX:
        return text
    return f"{text[:_VALUE_CHARS_MAX]}… ({len(text)} characters; --json has all)"


def mark_of(status: str) -> tuple[str, str]:
    """The mark of a status, and its colour."""
    return _MARKS.get(status, ("·", ""))


def marked(status: str) -> Text:
    """A status with its mark."""
    mark, colour = mark_of(status)
    return Text(f"{mark} {word(status)}", style=colour)


def table(columns: Sequence[str], rows: Iterable[Sequence[str | Text]]) -> Listing:
    """A table without lines, or a block for each row where it is too narrow; text is shown as what it is."""
    return Listing(columns=columns, rows=[[_text(cell) for cell in row] for row in rows])


def facts_table(facts: Iterable[tuple[str, str | Text]]) -> Table:
    """What is so, a label before each."""
    drawn = Table(box=None, pad_edge=False, show_header=False)
    drawn.add_column(style="dim", no_wrap=True)
    drawn.add_column(overflow="fold")
    for label, fact in facts:
        # On one line, so that no label from outside can look like one of ours.
        drawn.add_row(Text(visible(label).replace("\n", "⟨U+000A⟩")), _text(fact))
    return drawn


def word(status: str) -> str:
    """A status as a word."""
    return status.replace("_", " ")


def _text(cell: str | Text) -> Text:
    return cell if isinstance(cell, Text) else Text(visible(cell))
