"""Read JSON that others wrote without trusting its shape."""

import json
from collections.abc import Iterator, Mapping
from typing import TypeGuard

Record = dict[str, object]


def is_record(value: object) -> TypeGuard[Record]:
    """Whether `value` is a JSON object."""
    return isinstance(value, dict)


def is_rows(value: object) -> TypeGuard[list[object]]:
    """Whether `value` is a JSON array."""
    return isinstance(value, list)


def parsed(text: str | bytes) -> object:
    """The JSON value that `text` spells.

    Raises:
        ValueError: if it is not JSON, or not UTF-8.
    """
    value: object = json.loads(text)
    return value


def record(value: object) -> Record:
    """`value` if it is an object, else an empty one."""
    return value if is_record(value) else {}


def records(value: object) -> list[Record]:
    """The objects among the items of `value`, if it is an array."""
    return [item for item in value if is_record(item)] if is_rows(value) else []


def text(tree: Mapping[str, object], *path: str) -> str:
    """The string at `path`, or an empty one."""
    value: object = tree
    for key in path:
        value = record(value).get(key)
    return value if isinstance(value, str) else ""


def strings(value: object) -> Iterator[str]:
    """Every string in a tree, keys apart, in order."""
    if isinstance(value, str):
        yield value
    elif is_record(value):
        for item in value.values():
            yield from strings(item)
    elif is_rows(value):
        for item in value:
            yield from strings(item)


def minified(value: object) -> str:
    """`value` as JSON without a single space that it does not need."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
