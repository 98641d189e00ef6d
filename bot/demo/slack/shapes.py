"""Small rules that compose: each looks at one JSON value and says what Slack would say."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias
from urllib.parse import urlsplit

from typing_extensions import override

from bot.demo.slack import limits
from bot.demo.trees import Record, is_record, is_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing wrong, and where, as a JSON pointer."""

    pointer: str
    message: str

    @override
    def __str__(self) -> str:
        return f"[ERROR] {self.message} [json-pointer:{self.pointer}]"


Rule: TypeAlias = Callable[[object, str], Iterator[Problem]]
Check: TypeAlias = Callable[[Record, str], Iterator[Problem]]


def string(most: int, *, least: int = 1) -> Rule:
    """A string of `least` to `most` characters."""

    def rule(value: object, at: str) -> Iterator[Problem]:
        if not isinstance(value, str):
            yield Problem(pointer=at, message="must provide a string")
        elif len(value) < least:
            yield Problem(pointer=at, message=f"must be more than {least - 1} characters")
        elif len(value) > most:
            yield Problem(pointer=at, message=f"must be less than {most + 1} characters")

    return rule


def flag(value: object, at: str) -> Iterator[Problem]:
    """True or false."""
    if not isinstance(value, bool):
        yield Problem(pointer=at, message="must provide a boolean")


def whole(least: int, most: int) -> Rule:
    """An integer from `least` to `most`."""

    def rule(value: object, at: str) -> Iterator[Problem]:
        if not isinstance(value, int) or isinstance(value, bool):
            yield Problem(pointer=at, message="must provide an integer")
        elif not least <= value <= most:
            yield Problem(pointer=at, message=f"must be between {least} and {most}")

    return rule


def choice(*allowed: str) -> Rule:
    """One of the strings `allowed`."""

    def rule(value: object, at: str) -> Iterator[Problem]:
        if value not in allowed:
            yield Problem(pointer=at, message=f"must be one of: {', '.join(allowed)}")

    return rule


def url(most: int) -> Rule:
    """An absolute address of the web or of a mailbox."""
    length = string(most)

    def rule(value: object, at: str) -> Iterator[Problem]:
        yield from length(value, at)
        if isinstance(value, str) and urlsplit(value).scheme not in ("http", "https", "mailto"):
            yield Problem(pointer=at, message=f"invalid url: {value[:100]}")

    return rule


def listing(item: Rule, most: int, *, least: int = 1) -> Rule:
    """An array of `least` to `most` items that each keep to `item`."""

    def rule(value: object, at: str) -> Iterator[Problem]:
        if not is_rows(value):
            yield Problem(pointer=at, message="must provide an array")
            return
        if len(value) < least:
            yield Problem(pointer=at, message=f"no less than {least} items allowed")
        if len(value) > most:
            yield Problem(pointer=at, message=f"no more than {most} items allowed")
        for index, entry in enumerate(value):
            yield from item(entry, f"{at}/{index}")

    return rule


def shape(
    required: Mapping[str, Rule], optional: Mapping[str, Rule] | None = None, *checks: Check
) -> Rule:
    """An object with all of `required`, any of `optional`, nothing else, that passes `checks`."""
    allowed = {**required, **(optional or {})}

    def rule(value: object, at: str) -> Iterator[Problem]:
        if not is_record(value):
            yield Problem(pointer=at, message="must provide an object")
            return
        for key in sorted(required.keys() - value.keys()):
            yield Problem(pointer=at, message=f"missing required field: {key}")
        for key in sorted(value.keys() - allowed.keys()):
            yield Problem(pointer=at, message=f"invalid additional property: {key}")
        for key, entry in value.items():
            if key in allowed:
                yield from allowed[key](entry, f"{at}/{key}")
        for check in checks:
            yield from check(value, at)

    return rule


def by_type(kinds: Mapping[str, Rule]) -> Rule:
    """An object whose `type` names one of `kinds`, and that keeps to it."""

    def rule(value: object, at: str) -> Iterator[Problem]:
        kind = value.get("type") if is_record(value) else None
        if not is_record(value):
            yield Problem(pointer=at, message="must provide an object")
        elif not isinstance(kind, str):
            yield Problem(pointer=at, message="missing required field: type")
        elif kind not in kinds:
            yield Problem(pointer=f"{at}/type", message=f"unsupported type: {kind}")
        else:
            yield from kinds[kind](value, at)

    return rule


def anything(_value: object, _at: str) -> Iterator[Problem]:
    """No rule at all, for the parts that this stand-in does not draw."""
    yield from ()


def plain(most: int) -> Rule:
    """A `plain_text` object."""
    return by_type({"plain_text": _plain(most)})


def words(most: int) -> Rule:
    """A text object, plain or mrkdwn; an empty string is never valid."""
    mrkdwn = shape({"type": anything, "text": string(most)}, {"verbatim": flag})
    return by_type({"plain_text": _plain(most), "mrkdwn": mrkdwn})


def _plain(most: int) -> Rule:
    return shape({"type": anything, "text": string(most)}, {"emoji": flag})


CONFIRM: Final = shape(
    {"title": plain(limits.CONFIRM_TITLE), "text": words(limits.CONFIRM_TEXT)},
    {
        "confirm": plain(limits.CONFIRM_BUTTON),
        "deny": plain(limits.CONFIRM_BUTTON),
        "style": choice("primary", "danger"),
    },
)
