"""Reading JSON that Slack answered, where any part may be missing or of another kind."""

from typing import TypeGuard


def is_record(value: object) -> TypeGuard[dict[str, object]]:
    """Whether `value` is a JSON object."""
    return isinstance(value, dict)


def is_rows(value: object) -> TypeGuard[list[object]]:
    """Whether `value` is a JSON array."""
    return isinstance(value, list)


def at(value: object, *path: str) -> object:
    """What stands at `path`; None where the path ends early."""
    for name in path:
        value = value.get(name) if is_record(value) else None
    return value


def text(value: object, *path: str) -> str:
    """The text at `path`; empty where there is none."""
    found = at(value, *path)
    return found if isinstance(found, str) else ""


def rows(value: object, *path: str) -> list[object]:
    """The array at `path`; empty where there is none."""
    found = at(value, *path)
    return found if is_rows(found) else []
