"""The JSON Schema of definitions, for editors that complete and check while somebody writes."""

from functools import cache
from typing import Any, Final

from engine.rules.wording import is_sequence, is_table
from engine.runtime.definitions.shapes import OPTIONS, TYPES, Definition
from engine.runtime.definitions.terms import KNOWN, Terms

_KIND: Final = {"TaskStep": "task", "ApprovalStep": "approval", "CheckpointStep": "checkpoint",
                "ConditionStep": "condition", "ForEachStep": "for_each", "ParallelStep": "parallel",
                "ChildStep": "child", "HttpStep": "http"}  # fmt: skip


@cache
def json_schema() -> dict[str, Any]:
    """What may be written, without what runs do not understand yet; made once, and only read."""
    schema = Definition.model_json_schema()
    shapes: dict[str, Any] = schema["$defs"]
    gone = {f"#/$defs/{name}" for name, kind in _KIND.items() if kind not in TYPES}
    unknown = {name for name in Terms.model_fields if name not in KNOWN}
    unknown |= {"cost", "irreversible", "probe"} - OPTIONS
    for name, shape in list(shapes.items()):
        if f"#/$defs/{name}" in gone:
            del shapes[name]
        for key in unknown:
            shape.get("properties", {}).pop(key, None)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **_without(schema, gone),
        "title": "A workflow of Signoff",
    }


def _without(value: object, gone: set[str]) -> Any:
    if is_table(value):
        return {key: _without(each, gone) for key, each in value.items()}
    if is_sequence(value):
        return [_without(each, gone) for each in value if not _is_gone(each, gone)]
    return value


def _is_gone(value: object, gone: set[str]) -> bool:
    return is_table(value) and value.get("$ref") in gone
