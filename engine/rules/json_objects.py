"""Reading JSON strictly: what two readers could understand differently is refused."""

import json
from typing import Final, NoReturn

from engine.rules.wording import is_sequence, is_table

DEPTH_MAX: Final = 20
EXACT_MAX: Final = 2**53 - 1  # beyond it a reader that uses doubles sees another number


class NotExact(ValueError):
    """The text is no JSON that every reader understands alike; the message says why."""


def read_object(text: str) -> dict[str, object]:
    """The JSON object in `text`.

    Raises:
        NotExact: if it is no object; as `read_value`.
    """
    read = read_value(text)
    if not is_table(read):
        raise NotExact("it is not an object in braces")
    return {str(key): value for key, value in read.items()}


def read_value(text: str) -> object:
    """The JSON value in `text`.

    Raises:
        NotExact: if it is none, repeats a key, or holds NaN, Infinity, a whole number beyond 2^53,
            half a surrogate pair, or more than 20 levels.
    """
    try:
        read: object = json.loads(
            text, object_pairs_hook=_once, parse_constant=_not_a_number, parse_int=_exact
        )
    except RecursionError:
        raise NotExact(f"it has more than {DEPTH_MAX} levels") from None
    except json.JSONDecodeError as error:
        raise NotExact(f"it is not JSON ({error.msg} at character {error.pos + 1})") from None
    _check(read, depth=1)
    return read


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    table = dict(pairs)
    if len(table) != len(pairs):
        raise NotExact("a key appears twice")
    return table


def _not_a_number(constant: str) -> NoReturn:
    raise NotExact(f"{constant} is not a number in JSON")


def _exact(digits: str) -> int:
    if len(digits) > len(str(-EXACT_MAX)) or abs(int(digits)) > EXACT_MAX:
        raise NotExact("a whole number is too large; write it as a text")
    return int(digits)


def _check(value: object, *, depth: int) -> None:
    if isinstance(value, float) and value in {float("inf"), float("-inf")}:
        raise NotExact("a number is too large; write it as a text")
    if isinstance(value, str) and not _is_unicode(value):
        raise NotExact("it holds half a surrogate pair")
    if not is_table(value) and not is_sequence(value):
        return
    if depth > DEPTH_MAX:
        raise NotExact(f"it has more than {DEPTH_MAX} levels")
    for inner in (*value, *value.values()) if is_table(value) else value:
        _check(inner, depth=depth + 1)


def _is_unicode(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)
