"""What the people of the pages fill into a form: whatever it takes, the first of it."""

from collections.abc import Mapping
from typing import Any

PLAIN: Mapping[str, object] = {
    "string": "As the page says.",
    "integer": 1,
    "number": 1,
    "boolean": True,
    "array": [],
}


def filled(form: Mapping[str, Any] | None) -> dict[str, object] | None:
    """Answers to everything that has no default; None where no form is asked."""
    if form is None:
        return None
    asked = form["properties"].items()
    return {name: _answer(field) for name, field in asked if "default" not in field}


def _answer(field: Mapping[str, Any]) -> object:
    if field.get("format") == "date":
        return "2026-11-22"
    options = field.get("enum") or [each["const"] for each in field.get("oneOf", ())]
    return next(iter(options), field.get("minimum", PLAIN[field["type"]]))
