"""Fills references in: `${steps.charge.amount}` alone is the value itself, inside a text it is written out."""

from collections.abc import Mapping
from typing import Any

from engine.digest import canonical
from engine.errors import Invalid
from engine.rules.definitions import Reference, parts_of
from engine.rules.wording import is_sequence, is_table


def filled(value: Any, values: Mapping[str, object]) -> Any:
    """`value` with every reference in it replaced by what it names.

    Raises:
        Invalid: `missing_value`, if what is named is not there.
    """
    if isinstance(value, str):
        return _text(value, values)
    if is_table(value):
        return {key: filled(each, values) for key, each in value.items()}
    if is_sequence(value):
        return [filled(each, values) for each in value]
    return value


def looked_up(reference: Reference, values: Mapping[str, object]) -> object:
    """What `reference` names. Of a step that was left out, and of null, everything is null.

    Raises:
        Invalid: `missing_value`, if it is not there.
    """
    found: object = values
    for part in reference.path:
        if is_table(found) and part in found:
            found = found[part]
        elif is_sequence(found) and part.isdigit() and int(part) < len(found):
            found = found[int(part)]
        elif found is None:
            return None
        else:
            raise Invalid(
                f"${{{reference}}} names {part!r}, which is not there.", code="missing_value"
            )
    return found


def _text(text: str, values: Mapping[str, object]) -> object:
    parts = parts_of(text)
    if len(parts) == 1 and isinstance(parts[0], Reference):
        return looked_up(parts[0], values)
    return "".join(
        spelled(looked_up(part, values)) if isinstance(part, Reference) else part for part in parts
    )


def spelled(value: object) -> str:
    """`value` inside a text: a text as it is, anything else as JSON."""
    return value if isinstance(value, str) else canonical(value).decode()
