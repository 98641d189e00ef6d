"""What a strict server refuses in a message, whoever sent it."""

import re
from collections import Counter
from typing import Final

LINE_OCTETS: Final = 998
ONCE: Final = ("from", "sender", "reply-to", "to", "cc", "subject", "date", "message-id")
ALSO_ONCE: Final = ("in-reply-to", "references", "mime-version", "content-type")
NEEDED: Final = ("from", "date", "message-id")

_FIELD: Final = re.compile(rb"[!-9;-~]+:")
_BARE: Final = re.compile(rb"\r(?!\n)|(?<!\r)\n")
_MESSAGE_ID: Final = re.compile(rb"<[^<>\s@]+@[^<>\s@]+>")


def objection(raw: bytes, *, eight_bit: bool, utf8: bool) -> str | None:
    """The reply with which this message is refused, or None.

    `eight_bit` says that the sender announced `BODY=8BITMIME`, `utf8` that it announced SMTPUTF8.
    """
    if _BARE.search(raw):
        return "554 5.6.0 Bare CR or LF"
    if b"\0" in raw:
        return "554 5.6.0 NUL in message"
    if any(len(line) > LINE_OCTETS for line in raw.split(b"\r\n")):
        return "500 5.5.2 Line longer than 998 octets"
    head, _, body = raw.partition(b"\r\n\r\n")
    if not head.isascii() and not utf8:
        return "554 5.6.7 Header needs SMTPUTF8"
    if not body.isascii() and not eight_bit:
        return "554 5.6.3 8-bit body was not announced"
    return _header_objection(head)


def fields(head: bytes) -> list[tuple[str, bytes]]:
    """The header's fields, names in lower case, folding undone.

    Raises:
        ValueError: if a line is neither a field nor the continuation of one.
    """
    found: list[tuple[str, bytes]] = []
    for line in head.split(b"\r\n"):
        if line[:1] in (b" ", b"\t") and found:
            found[-1] = (found[-1][0], found[-1][1] + line)
        elif _FIELD.match(line):
            name, _, value = line.partition(b":")
            found.append((name.decode("ascii").lower(), value.strip()))
        else:
            raise ValueError(line)
    return found


def _header_objection(head: bytes) -> str | None:
    try:
        given = fields(head)
    except ValueError:
        return "554 5.6.0 Malformed header"
    counts = Counter(name for name, _ in given)
    for name in (*ONCE, *ALSO_ONCE):
        if counts[name] > 1:
            return f"554 5.6.0 Duplicate header: {name}"
    for name in NEEDED:
        if not counts[name]:
            return f"554 5.6.0 Missing header: {name}"
    values = dict(given)
    if not _MESSAGE_ID.fullmatch(values["message-id"]):
        return "554 5.6.0 Malformed Message-ID"
    return None
