"""Makes characters that cannot be seen visible, so that nobody approves what they did not read."""

import unicodedata
from typing import Final

_KEPT: Final = frozenset("\n\t")
_EMOJI_STYLE: Final = "\ufe0f"
# Printable for Unicode, yet drawn as nothing: fillers, joiners and selectors that can smuggle text.
_BLANK: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\ufffc\U0001d159")
_SELECTORS: Final = ((0x180B, 0x180F), (0xFE00, 0xFE0F), (0xE0100, 0xE01EF))


def visible(text: str) -> str:
    """`text` with every control, bidi, zero-width or otherwise invisible character written out.

    U+202E becomes ⟨U+202E⟩. Line feeds, tabs and ordinary spaces of any width stay, as does the
    selector that asks for the coloured form of a symbol. It neither escapes nor shortens: a medium
    escapes the result once, at its sink. Applying it again changes nothing.
    """
    if text.isascii() and text.isprintable():
        return text
    text = text.replace("\r\n", "\n")
    return "".join(
        f"⟨U+{ord(char):04X}⟩" if _is_hidden(char, before=before) else char
        for before, char in zip("\n" + text, text, strict=False)
    )


def _is_hidden(char: str, *, before: str) -> bool:
    if char in _KEPT:
        return False
    if char == _EMOJI_STYLE:
        return not unicodedata.category(before).startswith("S")
    if char in _BLANK or any(first <= ord(char) <= last for first, last in _SELECTORS):
        return True
    return not char.isprintable() and unicodedata.category(char) != "Zs"
