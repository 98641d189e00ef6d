"""Words from outside, made safe for a mail: all visible, and never a link."""

import re
from typing import Final

from channels.email.limits import NAME_CHARS_MAX
from channels.visible import visible

# What mail programs turn into links by themselves: schemes, hosts, addresses, network shares.
_SCHEME: Final = re.compile(r"(?<![\w+.-])([A-Za-z][A-Za-z0-9+.-]{0,30}):(?=//|\\\\)")
_SPOKEN: Final = re.compile(
    r"(?i)\b(mailto|tel|sms|callto|javascript|vbscript|data|file|cid|xmpp|sip|sips|skype|facetime|"
    r"maps|geo|news|magnet|webcal|ms-[a-z-]+|onenote|outlook|slack|intent|blob|about|view-source):"
    r"(?=\S)"
)
_HOST: Final = re.compile(r"(?<=[\w)\]-])[.\uff0e\u3002\uff61\u2024](?=[^\W\d_]{2}|xn--)")
_WEB: Final = re.compile(r"(?i)(?<!\w)(www)\.(?=\S)")
_NUMBERS: Final = re.compile(r"(?<![\d.])(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?![\d.])")
_MAILBOX: Final = re.compile(r"(?<=\S)[@\uff20\ufe6b](?=\S)")
MARKS: Final = ("[.]", "[:]", "[@]", "[\\\\")
_SHARE: Final = re.compile(r"\\\\(?=\S)")


def shown(text: str) -> str:
    """`text` for the body of a mail: hidden characters written out, nothing a program would link.

    `https://evil.example` becomes `https[:]//evil[.]example`, so that it reads the same and leads
    nowhere. Several lines stay several lines. Escaping for HTML is left to the template.
    """
    return defanged(visible(text.replace("\r\n", "\n").replace("\r", "\n")))


def one_line(text: str) -> str:
    """As `shown`, with every run of white space as one space."""
    return " ".join(shown(text).split())


def defanged(text: str) -> str:
    """`text` without anything that a mail program would make into a link by itself."""
    text = _SCHEME.sub(r"\1[:]", text)
    text = _SPOKEN.sub(r"\1[:]", text)
    text = _WEB.sub(r"\1[.]", text)
    text = _NUMBERS.sub(r"\1[.]\2[.]\3[.]\4", text)
    text = _HOST.sub("[.]", text)
    text = _MAILBOX.sub("[@]", text)
    return _SHARE.sub(r"[\\\\]", text)


def header_text(text: str, *, chars: int = NAME_CHARS_MAX) -> str:
    """`text` as one harmless header value: no control characters, no encoded words, not too long.

    Python's own header class decodes `=?utf-8?q?=0D=0ABcc:…?=` and writes what it finds as a header
    of its own (before 3.13, and before CVE-2024-6923 was mended in each older line).
    """
    printable = "".join(char if char.isprintable() else " " for char in text)
    words = " ".join(printable.split())
    while "=?" in words:
        words = words.replace("=?", "= ?")
    return words if len(words) <= chars else f"{words[: chars - 1].rstrip()}…"
