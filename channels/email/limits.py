"""Every figure of the email medium on one page: what servers take and what readers show."""

from datetime import timedelta
from html import escape
from typing import Final

MESSAGE_ID_CHARS_MAX: Final = 60  # longer ones are encoded by Python, which breaks threads
SUBJECT_CHARS_MAX: Final = 150
NAME_CHARS_MAX: Final = 80
PREHEADER_CHARS_MAX: Final = 140
HTML_BYTES_MAX: Final = 102_000  # Gmail clips what is longer

FACT_CHARS_MAX: Final = 10_000
FACTS_MAX: Final = 40
LINES_MAX: Final = 400
TITLE_CHARS_MAX: Final = 300
COMMENT_CHARS_MAX: Final = 1_000
ITEM_CHARS_MAX: Final = 300
ITEMS_MAX: Final = 20
TEXT_BYTES_MAX: Final = 50_000  # of all words from outside; the markup around them takes the rest
LINE_BYTES: Final = 8  # what a line break becomes
ITEM_BYTES: Final = 450  # the inlined markup around one fact, vote or list item

COMMAND_WITHIN: Final = timedelta(seconds=20)  # each step of the SMTP conversation


class Room:
    """How much text from outside still fits into one message; what is asked for first gets it."""

    def __init__(self, bytes_left: int = TEXT_BYTES_MAX) -> None:
        self._left = bytes_left

    def fit(self, text: str, *, chars: int, lines: int = 1) -> tuple[str, bool]:
        """`text`, cut where it exceeds `chars`, `lines` or the room, and whether it is whole."""
        kept = "\n".join(text.split("\n", lines)[:lines])[:chars]
        while kept and _weight(kept) > self._left:
            kept = kept[: len(kept) // 2]
        self._left -= _weight(kept) + ITEM_BYTES
        return (kept, True) if kept == text else (f"{kept.rstrip()}…", False)


def _weight(text: str) -> int:
    return len(escape(text).encode()) + LINE_BYTES * text.count("\n")
