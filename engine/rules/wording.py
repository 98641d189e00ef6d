"""How a rule that people wrote is refused: a stable code, and a sentence that says what to do."""

from collections.abc import Mapping, Sequence
from typing import TypeGuard

from engine.errors import Invalid

SHOWN_CHARS_MAX = 80


class BadRule(Invalid, ValueError):
    """A rule is written wrongly. Its message says what to do next; nothing was changed."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message, code=code)


def shown(value: object) -> str:
    """What somebody wrote, quoted in ASCII and cut short, so that a refusal may repeat it."""
    text = ascii(value)
    return text if len(text) <= SHOWN_CHARS_MAX else f"{text[: SHOWN_CHARS_MAX - 3]}..."


def is_sequence(value: object) -> TypeGuard[Sequence[object]]:
    """Whether `value` is a list or a tuple; a text is neither."""
    return isinstance(value, list | tuple)


def is_table(value: object) -> TypeGuard[Mapping[object, object]]:
    """Whether `value` maps keys to values, as a JSON object or a TOML table does."""
    return isinstance(value, Mapping)


def is_whole(value: object) -> TypeGuard[int]:
    """Whether `value` is a whole number; true and false are not numbers."""
    return isinstance(value, int) and not isinstance(value, bool)
