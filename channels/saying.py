"""How a value, a change and several names are said in a line, on every surface."""

import json
from collections.abc import Sequence
from typing import Final

from engine.ids import PersonId

NOTHING: Final = "—"


def text_of(value: object) -> str:
    """A value as people read it: a text as it is, yes or no, a dash for nothing, anything else as JSON."""
    match value:
        case str():
            return value
        case bool():
            return "yes" if value else "no"
        case None:
            return NOTHING
        case _:
            return json.dumps(value, ensure_ascii=False)


def said(label: str, old: str, new: str) -> str:
    """One change in a line, or one answer where there was nothing before.

    A value that holds an arrow itself stands alone, so that none is invented.
    """
    if not old:
        return f"{label}: {new}"
    if "→" in f"{label}{old}{new}":
        return f"{label} was: {old}\n{label} becomes: {new}"
    return f"{label}: {old} → {new}"


def whose(names: Sequence[str | PersonId]) -> str:
    """Several names as a sentence says them."""
    *most, last = names or ("nobody",)
    return f"{', '.join(most)} and {last}" if most else last
