"""Canonical bytes: one spelling of a JSON value (RFC 8785), strict reading, and the hashes made from it."""

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NoReturn, TypeGuard

import rfc8785

from engine.errors import Invalid

DEPTH_MAX = 32
KEYS_MAX = 1_000  # in one document, all objects together (RELIABILITY D2)


class Spelled(dict[str, object]):
    """A table with its canonical spelling, for what is written time and again; nobody changes it."""

    __slots__ = ("text",)

    def __init__(self, value: Mapping[str, object]) -> None:
        super().__init__(value)
        self.text = canonical(self).decode()


def canonical(value: object) -> bytes:
    """The one spelling of `value`: sorted keys, no spaces, shortest numbers.

    Raises:
        Invalid: for NaN, infinities, whole numbers beyond 2^53 (send them as text), keys that are
            not text, and anything that JSON does not know.
    """
    try:
        if _is_plain(value):
            return _PLAIN.encode(value).encode()
        return rfc8785.dumps(_as_json(value))
    except (rfc8785.CanonicalizationError, RecursionError, UnicodeError) as error:
        raise Invalid(
            f"This value has no canonical JSON form: {error}. Send large numbers and amounts as text.",
            code="not_canonical",
        ) from None


# For values that `_is_plain` lets through, the standard library writes the very bytes of RFC 8785, in
# compiled code. A property test compares the two.
_PLAIN: Final = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))
_SAFE: Final = 2**53


def _is_plain(value: object) -> bool:
    """Whether `value` holds nothing on which two JSON writers might differ.

    Such are numbers with a fraction or beyond 2^53, keys outside ASCII, whose order depends on the
    encoding, and every type but JSON's own.
    """
    if _is_table(value):
        if not _are_plain(value):
            return False
        within: Iterable[object] = value.values()
    elif _is_items(value):
        within = value
    else:
        return value is None or isinstance(value, str) or _is_plain_number(value)
    for each in within:
        if each is None or isinstance(each, str):
            continue
        if type(each) is int and -_SAFE < each < _SAFE:
            continue  # said here, too: most values are one of those
        if not _is_plain(each):
            return False
    return True


def _is_plain_number(value: object) -> bool:
    return isinstance(value, int) and -_SAFE < value < _SAFE  # a flag is a number, too


def _are_plain(keys: Iterable[str]) -> bool:
    try:
        return "".join(keys).isascii()
    except TypeError:  # one of them is no text
        return False


def canonical_text(value: str) -> bytes:
    """`canonical` of a text, without asking what it is."""
    return _PLAIN.encode(value).encode()


@lru_cache(maxsize=4096)
def quoted(value: str | None) -> str:
    """The canonical spelling of a text, or of none: for names, of which there are few."""
    return "null" if value is None else canonical(value).decode()


def sha256(content: bytes) -> str:
    """`sha256:` and 64 hexadecimal digits."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def tagged_digest(tag: str, value: object) -> str:
    """The digest of `value` for one purpose; the same value under another tag has another digest."""
    return tagged(tag, canonical(value))


def tagged(tag: str, content: bytes) -> str:
    """`tagged_digest` of the value whose canonical bytes are `content`."""
    return sha256(tag.encode() + b"\n" + content)


def keyed_hash(secret: bytes, purpose: str, text: str) -> str:
    """What is stored instead of a token: useless without the server's secret."""
    return hmac.new(secret, f"{purpose}\n{text}".encode(), hashlib.sha256).hexdigest()


def same(left: str, right: str) -> bool:
    """Whether two secrets are equal, in constant time."""
    return hmac.compare_digest(left.encode(), right.encode())


def read_json(body: bytes, *, what: str = "body") -> object:
    """The JSON value in `body`, strictly.

    Raises:
        Invalid: for bytes that are not UTF-8 JSON, keys given twice, NaN and infinities, more than
            32 levels or 1,000 keys: each would let two readers see two different values.
    """
    try:
        value = json.loads(
            body.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant
        )
    except (ValueError, RecursionError) as error:
        raise Invalid(
            f"The {what} is not the JSON that is expected: {error}.", code="bad_json"
        ) from None
    _check_size(value, what)
    return value


def _as_json(value: object) -> Any:
    # The library checks every value itself and refuses what JSON does not know.
    return value


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is given twice")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _check_size(value: object, what: str) -> None:
    keys, level = 0, [value]
    for _depth in range(DEPTH_MAX + 1):
        keys += sum(len(item) for item in level if _is_table(item))
        level = [child for item in level for child in _children(item)]
        if keys > KEYS_MAX:
            raise Invalid(f"The {what} has more than {KEYS_MAX} keys.", code="bad_json")
        if not level:
            return
    raise Invalid(f"The {what} is nested deeper than {DEPTH_MAX} levels.", code="bad_json")


def _children(value: object) -> Iterable[object]:
    if _is_table(value):
        return value.values()
    return value if _is_items(value) else ()


def _is_table(value: object) -> TypeGuard[Mapping[str, object]]:
    return isinstance(value, dict)


def _is_items(value: object) -> TypeGuard[Sequence[object]]:
    return isinstance(value, list)
