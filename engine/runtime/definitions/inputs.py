"""What a definition's inputs demand of whoever starts it, from a program or from a terminal."""

import json
from collections.abc import Callable
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, JsonValue
from pydantic import create_model as made

from engine.conditions import formula
from engine.errors import Invalid
from engine.rules.wording import is_sequence, is_table
from engine.runtime.definitions.shapes import Definition, Input


def _number(value: Any) -> Any:
    if isinstance(value, str):  # from a terminal
        return int(value) if value.lstrip("-").isdigit() else float(value)
    return "no number" if isinstance(value, bool) else value


def _money(text: str) -> str:
    try:
        formula("money(it)", ("it",)).evaluate({"it": text})
    except Invalid:
        raise ValueError('write an amount such as "620.00 USD"') from None
    return text


def _parsed(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        raise ValueError("write it as JSON") from None


_TYPES: Final[dict[str, Any]] = {
    "string": str,
    "integer": Annotated[int, BeforeValidator(_number)],
    "number": Annotated[int | float, BeforeValidator(_number)],
    "boolean": bool,
    "money": Annotated[str, AfterValidator(_money)],
    "array": Annotated[list[JsonValue], BeforeValidator(_parsed)],
    "object": Annotated[dict[str, JsonValue], BeforeValidator(_parsed)],
}


def input_model(definition: Definition) -> type[BaseModel]:
    """The model that checks a run's input, fills in what has a default, and gives null for what was left out."""
    fields: dict[str, Any] = {
        # Numbered, with the real names as aliases: Pydantic keeps some names for itself.
        f"input_{index}": _field(name, given)
        for index, (name, given) in enumerate(definition.inputs.items())
    }
    strict = ConfigDict(extra="forbid", frozen=True)
    return made(f"{definition.name}_input", __config__=strict, **fields)


def _field(name: str, given: Input) -> tuple[Any, Any]:
    kind: Any = _TYPES[given.type]
    if given.choices is not None:
        kind = Annotated[kind, AfterValidator(_one_of(given.choices))]
    if given.is_required:
        return kind, Field(alias=name)
    return kind | None, Field(alias=name, default=given.default)


def _one_of(choices: list[JsonValue]) -> Callable[[Any], Any]:
    def check(value: Any) -> Any:
        if value not in choices:
            raise ValueError(f"write one of {', '.join(map(str, choices))}")
        return value

    return check


def fits(kind: str, value: object) -> bool:
    """Whether `value`, as it is written in a definition, may be the default of such an input."""
    match kind:
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "boolean":
            return isinstance(value, bool)
        case "array":
            return is_sequence(value)
        case "object":
            return is_table(value)
        case _:
            return isinstance(value, str)
