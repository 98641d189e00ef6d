"""What a person types into an element, checked as Slack's own client does before it sends."""

import re
from collections.abc import Iterator
from typing import TypeAlias

from bot.demo.trees import Record, record, records, strings, text

Typed: TypeAlias = str | list[str] | None


def initial(element: Record) -> Typed:
    """What stands in an element before anybody touches it."""
    match element.get("type"):
        case "multi_static_select" | "checkboxes":
            return [text(option, "value") for option in records(element.get("initial_options"))]
        case "multi_users_select":
            return list(strings(element.get("initial_users")))
        case "static_select" | "radio_buttons":
            return text(record(element.get("initial_option")), "value") or None
        case _:
            for key in ("initial_value", "initial_date", "initial_time", "initial_user"):
                if value := text(element, key):
                    return value
            return None


def options_of(element: Record) -> list[Record]:
    """The options one can choose from, groups flattened."""
    groups = records(element.get("option_groups"))
    grouped = [option for group in groups for option in records(group.get("options"))]
    return [*records(element.get("options")), *grouped]


def state_of(element: Record, typed: Typed) -> Record:
    """The element's part of a payload, as `view.state` and `actions` spell it."""
    kind = text(element, "type")
    one = typed if isinstance(typed, str) and typed else None
    many = _several(typed)
    match kind:
        case "static_select" | "radio_buttons" | "overflow":
            return {"type": kind, "selected_option": next(iter(_chosen(element, [one])), None)}
        case "multi_static_select" | "checkboxes":
            return {"type": kind, "selected_options": list(_chosen(element, many))}
        case "users_select":
            return {"type": kind, "selected_user": one}
        case "multi_users_select":
            return {"type": kind, "selected_users": many}
        case "datepicker":
            return {"type": kind, "selected_date": one}
        case "timepicker":
            return {"type": kind, "selected_time": one}
        case _:
            return {"type": kind, "value": one}


def complaint(block: Record, element: Record, typed: Typed) -> str | None:
    """What Slack's client says under a field instead of sending it, or None."""
    if not typed:
        return None if block.get("optional") else "Please complete this required field."
    if options := options_of(element):
        return _choice_complaint(element, {text(option, "value") for option in options}, typed)
    if isinstance(typed, list):
        return None
    match element.get("type"):
        case "plain_text_input":
            return _length_complaint(element, typed)
        case "number_input":
            return _number_complaint(element, typed)
        case "datepicker" if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", typed):
            return "Please enter a valid date."
        case _:
            return None


def _several(typed: Typed) -> list[str]:
    # A page posts the one that is chosen as a text, like any other.
    return typed if isinstance(typed, list) else [typed] if typed else []


def _choice_complaint(element: Record, known: set[str], typed: Typed) -> str | None:
    chosen, most = _several(typed), element.get("max_selected_items")
    if not known.issuperset(chosen):
        return "Please choose one of the options."
    if isinstance(most, int) and len(chosen) > most:
        return f"Please choose no more than {most} options."
    return None


def _chosen(element: Record, values: list[str] | list[str | None]) -> Iterator[Record]:
    for option in options_of(element):
        if text(option, "value") in values:
            yield option


def _length_complaint(element: Record, typed: str) -> str | None:
    least, most = element.get("min_length"), element.get("max_length", 3_000)
    if isinstance(least, int) and len(typed) < least:
        return f"Please enter at least {least} characters."
    if isinstance(most, int) and len(typed) > most:
        return f"Please enter no more than {most} characters."
    return None


def _number_complaint(element: Record, typed: str) -> str | None:
    pattern = r"-?\d+(\.\d+)?" if element.get("is_decimal_allowed") else r"-?\d+"
    if not re.fullmatch(pattern, typed):
        return "Please enter a valid number."
    least, most = text(element, "min_value"), text(element, "max_value")
    if least and float(typed) < float(least):
        return f"Please enter a number of at least {least}."
    if most and float(typed) > float(most):
        return f"Please enter a number of at most {most}."
    return None
