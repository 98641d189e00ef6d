"""Changes of what is asked as they are written in a terminal: `--change amount=10`."""

from collections.abc import Mapping, Sequence
from typing import Any

from engine.rules.values import BadChange, kind_of, read_typed


def read(written: Sequence[str], approval: Mapping[str, Any]) -> dict[str, object]:
    """The changes as the API takes them, each value of the kind of what was asked.

    Which fields may be changed, and to what, is for the server to say.

    Raises:
        BadChange: if one is not written `field=value`, is written twice, or is no number where
            one was asked.
    """
    found: dict[str, object] = {}
    for each in written:
        field, is_given, text = each.partition("=")
        if not is_given or field in found:
            raise BadChange(field, f"Write each change once, as field=value; {each!a} is not.")
        asked = approval["details"].get(field)
        found[field] = text if kind_of(asked) is None else read_typed(field, asked, text)
    return found
