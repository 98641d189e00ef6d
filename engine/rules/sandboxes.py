"""Runs in a sandbox: the answers that their steps get instead of being done, and the mark on all that they ask."""

import unicodedata
from collections.abc import Mapping
from typing import Final

from engine.rules.wording import BadRule, is_table, shown

MARK: Final = "[SANDBOX] "


def parse_sandbox(raw: object) -> Mapping[str, object] | None:
    """The answers by step in `raw`: true for none of them, false and null for a run that is real.

    Raises:
        BadRule: `bad_sandbox`, with a sentence.
    """
    if raw is None or raw is False:
        return None
    if raw is True:
        return {}
    if not is_table(raw):
        raise BadRule(
            "bad_sandbox",
            f"{shown(raw)} is no sandbox. Write true, or what steps are to answer by their names, "
            'such as {"charge": {"id": "ch_1"}}.',
        )
    return {str(step): answer for step, answer in raw.items()}


def marked(text: str) -> str:
    """`text` as people read it of a sandbox, on whatever surface."""
    return text if is_marked(text) else f"{MARK}{text}"


def is_marked(text: str) -> bool:
    """Whether people would take `text` for a sandbox's, however that is spelled."""
    plain = unicodedata.normalize("NFKC", text).casefold().lstrip()
    return plain.startswith(MARK.strip().casefold())


def titled(title: str, *, is_sandbox: bool) -> str:
    """The title as it is frozen. A sandbox's mark is part of what people agree to; nothing real may bear it.

    Raises:
        BadRule: `bad_title`, if something real bears it.
    """
    if is_sandbox:
        return marked(title)
    if is_marked(title):
        raise BadRule(
            "bad_title",
            f"Only what a run in a sandbox asks begins with {MARK.strip()}. Give another title.",
        )
    return title
