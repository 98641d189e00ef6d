"""The inputs an approval asks for, from its form's JSON schema or its changeable fields."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from channels.visible import visible

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class FormField:
    """One input. `kind` is text, lines, number, yesno, one, several or date.

    `name` is what the form posts: `form.<key>` for a form's answer, `changes.<key>` for a change
    of what is asked. `value` is what it says before anybody touches it.
    """

    name: str
    label: str
    kind: str
    is_required: bool
    value: str
    help: str
    options: Sequence[str]
    limits: Mapping[str, str]
    asked: str | None = None  # what stands in it as it was asked, where it may be changed


def form_fields(approval: Json) -> list[FormField]:
    """The inputs of `approval`, in its own order; none for a plain yes or no."""
    if approval.get("kind") == "form":
        schema: Json = approval.get("form") or {}
        required = schema.get("required", ())
        return [
            _from_schema(key, asked, is_required=key in required)
            for key, asked in schema.get("properties", {}).items()
        ]
    details: Json = approval.get("details") or {}
    changes = [_change(key, details.get(key)) for key in _changeable(approval)]
    # What cannot be seen cannot be typed again: sent back, it would be another value.
    return [each for each in changes if visible(each.value) == each.value]


def _changeable(approval: Json) -> Sequence[str]:
    fields: Sequence[str] = approval.get("fields") or ()
    match approval.get("kind"):
        case "modify":
            return fields
        case "budget":
            return fields or ("amount",)
        case _:
            return ()


def _change(key: str, value: object) -> FormField:
    options: Sequence[str] = ()
    match value:
        case bool():
            kind, text, options = "one", "yes" if value else "no", ("yes", "no")
        case int() | float():
            kind, text = "number", str(value)
        case _:
            text = "" if value is None else str(value)
            kind = "lines" if "\n" in text else "text"
    return FormField(
        name=f"changes.{key}",
        label=key,
        kind=kind,
        is_required=True,
        value=text,
        help="",
        options=options,
        limits={"step": "any"} if kind == "number" else {},
        asked=text,
    )


def _from_schema(key: str, asked: Json, *, is_required: bool) -> FormField:
    items: Json = asked.get("items") or {}
    default = asked.get("default")
    return FormField(
        name=f"form.{key}",
        label=str(asked.get("title", key)),
        kind=_kind(asked),
        is_required=is_required,
        value="" if default is None else str(default),
        help=str(asked.get("description", "")),
        options=tuple(str(option) for option in asked.get("enum") or items.get("enum") or ()),
        limits=_limits(asked),
    )


def _kind(asked: Json) -> str:
    match asked.get("type"):
        case "boolean":
            return "yesno"
        case "number" | "integer":
            return "number"
        case "array":
            return "several"
        case _ if asked.get("enum"):
            return "one"
        case _ if asked.get("format") == "date":
            return "date"
        case _ if asked.get("format") in ("multi-line", "textarea") or _is_long(asked):
            return "lines"
        case _:
            return "text"


def _is_long(asked: Json) -> bool:
    return int(asked.get("maxLength", 0)) > 200


def _limits(asked: Json) -> dict[str, str]:
    named = {"minimum": "min", "maximum": "max", "minLength": "minlength", "maxLength": "maxlength"}
    limits = {html: str(asked[key]) for key, html in named.items() if key in asked}
    if asked.get("type") == "number":
        limits["step"] = "any"
    return limits
