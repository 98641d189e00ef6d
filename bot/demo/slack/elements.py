"""Block Kit elements: what may stand inside a block, and where."""

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Final

from bot.demo.slack import limits
from bot.demo.slack.shapes import (
    CONFIRM,
    Problem,
    Rule,
    anything,
    by_type,
    choice,
    flag,
    listing,
    plain,
    shape,
    string,
    url,
    whole,
    words,
)
from bot.demo.trees import Record, is_rows, text

_ACTION: Final[dict[str, Rule]] = {"action_id": string(limits.ACTION_ID), "confirm": CONFIRM}
_FOCUS: Final[dict[str, Rule]] = {"focus_on_load": flag}
_HINTED: Final[dict[str, Rule]] = {"placeholder": plain(limits.PLACEHOLDER)}


def _option(text: Rule) -> Rule:
    return shape(
        {"text": text, "value": string(limits.OPTION_VALUE)},
        {"description": words(limits.OPTION_TEXT), "url": url(limits.OPTION_URL)},
    )


PLAIN_OPTION: Final = _option(plain(limits.OPTION_TEXT))
WORDS_OPTION: Final = _option(words(limits.OPTION_TEXT))
_OPTIONS: Final = listing(PLAIN_OPTION, limits.SELECT_OPTIONS)
_GROUP: Final = shape({"label": plain(limits.OPTION_TEXT), "options": _OPTIONS})


def _known_initial(element: Record, at: str) -> Iterator[Problem]:
    options = element.get("options")
    chosen = element.get("initial_option")
    if chosen is not None and is_rows(options) and chosen not in options:
        yield Problem(pointer=f"{at}/initial_option", message="must match one of the options")
    several = element.get("initial_options")
    if is_rows(several) and is_rows(options) and any(item not in options for item in several):
        yield Problem(pointer=f"{at}/initial_options", message="must match some of the options")


def _one_source(element: Record, at: str) -> Iterator[Problem]:
    if ("options" in element) == ("option_groups" in element):
        yield Problem(pointer=at, message="must define either `options` or `option_groups`")


def _ordered_lengths(element: Record, at: str) -> Iterator[Problem]:
    least, most = element.get("min_length", 0), element.get("max_length", limits.INPUT_TEXT)
    if isinstance(least, int) and isinstance(most, int) and least > most:
        yield Problem(pointer=f"{at}/min_length", message="must be less than `max_length`")


def _calendar_day(value: object, at: str) -> Iterator[Problem]:
    if not (
        isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value) and _is_day(value)
    ):
        yield Problem(pointer=at, message="must match format: YYYY-MM-DD")


def _is_day(value: str) -> bool:
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


def _clock_time(value: object, at: str) -> Iterator[Problem]:
    if not (isinstance(value, str) and re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value)):
        yield Problem(pointer=at, message="must match format: HH:mm")


_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?")


def _decimal(value: object, at: str) -> Iterator[Problem]:
    if not (isinstance(value, str) and _NUMBER.fullmatch(value)):
        yield Problem(pointer=at, message="must be a number in a string")


def _ordered_numbers(element: Record, at: str) -> Iterator[Problem]:
    names = [name for name in ("min_value", "initial_value", "max_value") if name in element]
    given = [text(element, name) for name in names]
    if not all(_NUMBER.fullmatch(each) for each in given):
        return
    numbers = [Decimal(each) for each in given]
    if numbers != sorted(numbers):
        yield Problem(pointer=at, message="must have min_value, initial_value, max_value in order")
    if element.get("is_decimal_allowed") is False and any("." in each for each in given):
        yield Problem(pointer=at, message="must not have decimals unless they are allowed")


BUTTON: Final = shape(
    {"type": anything, "text": plain(limits.BUTTON_TEXT)},
    {
        **_ACTION,
        "value": string(limits.BUTTON_VALUE),
        "url": url(limits.BUTTON_URL),
        "style": choice("primary", "danger"),
        "accessibility_label": string(limits.ACCESSIBILITY_LABEL),
    },
)
IMAGE: Final = shape(
    {"type": anything, "image_url": url(limits.IMAGE_URL), "alt_text": string(limits.ALT_TEXT)}
)
_OVERFLOW: Final = shape(
    {"type": anything, "options": listing(PLAIN_OPTION, limits.OVERFLOW_OPTIONS)}, _ACTION
)
_CHOICES: Final[dict[str, Rule]] = {
    "type": anything,
    "options": listing(WORDS_OPTION, limits.CHOICE_OPTIONS),
}
_RADIO: Final = shape(
    _CHOICES, {**_ACTION, **_FOCUS, "initial_option": WORDS_OPTION}, _known_initial
)
_CHECKBOXES: Final = shape(
    _CHOICES,
    {**_ACTION, **_FOCUS, "initial_options": listing(WORDS_OPTION, limits.CHOICE_OPTIONS)},
    _known_initial,
)
_LISTS: Final[dict[str, Rule]] = {
    "options": _OPTIONS,
    "option_groups": listing(_GROUP, limits.SELECT_OPTIONS),
}
_SELECT: Final = shape(
    {"type": anything},
    {**_ACTION, **_HINTED, **_FOCUS, **_LISTS, "initial_option": PLAIN_OPTION},
    _one_source,
    _known_initial,
)
_MULTI: Final[dict[str, Rule]] = {
    **_ACTION,
    **_HINTED,
    **_FOCUS,
    "max_selected_items": whole(1, 100),
}
_MULTI_SELECT: Final = shape(
    {"type": anything},
    {**_MULTI, **_LISTS, "initial_options": _OPTIONS},
    _one_source,
    _known_initial,
)
_USERS: Final = shape(
    {"type": anything}, {**_ACTION, **_HINTED, **_FOCUS, "initial_user": string(20)}
)
_MULTI_USERS: Final = shape(
    {"type": anything}, {**_MULTI, "initial_users": listing(string(20), limits.SELECT_OPTIONS)}
)
_DATE: Final = shape(
    {"type": anything}, {**_ACTION, **_HINTED, **_FOCUS, "initial_date": _calendar_day}
)
_TIME: Final = shape(
    {"type": anything},
    {**_ACTION, **_HINTED, **_FOCUS, "initial_time": _clock_time, "timezone": string(100)},
)
_TEXT_INPUT: Final = shape(
    {"type": anything},
    {
        "action_id": string(limits.ACTION_ID),
        **_HINTED,
        **_FOCUS,
        "initial_value": string(limits.INPUT_TEXT, least=0),
        "multiline": flag,
        "min_length": whole(0, limits.INPUT_TEXT),
        "max_length": whole(1, limits.INPUT_TEXT),
        "dispatch_action_config": anything,
    },
    _ordered_lengths,
)
_NUMBER_INPUT: Final = shape(
    {"type": anything, "is_decimal_allowed": flag},
    {
        "action_id": string(limits.ACTION_ID),
        **_HINTED,
        **_FOCUS,
        "initial_value": _decimal,
        "min_value": _decimal,
        "max_value": _decimal,
        "dispatch_action_config": anything,
    },
    _ordered_numbers,
)

_SELECTS: Final[dict[str, Rule]] = {
    "static_select": _SELECT,
    "multi_static_select": _MULTI_SELECT,
    "users_select": _USERS,
    "multi_users_select": _MULTI_USERS,
    "datepicker": _DATE,
    "timepicker": _TIME,
    "radio_buttons": _RADIO,
    "checkboxes": _CHECKBOXES,
}
IN_ACTIONS: Final = by_type({**_SELECTS, "button": BUTTON, "overflow": _OVERFLOW})
AS_ACCESSORY: Final = by_type({**_SELECTS, "button": BUTTON, "overflow": _OVERFLOW, "image": IMAGE})
AS_INPUT: Final = by_type(
    {**_SELECTS, "plain_text_input": _TEXT_INPUT, "number_input": _NUMBER_INPUT}
)
