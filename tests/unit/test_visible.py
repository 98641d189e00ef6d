"""What cannot be seen is written out before anybody is asked to agree to it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.visible import visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("pay \u202e005 now", "pay ⟨U+202E⟩005 now", id="text turned around"),
        pytest.param("\u2066a\u2069", "⟨U+2066⟩a⟨U+2069⟩", id="isolates"),
        pytest.param("pay\u200bpal", "pay⟨U+200B⟩pal", id="zero width space"),
        pytest.param("a\u200d\u200cb", "a⟨U+200D⟩⟨U+200C⟩b", id="joiners"),
        pytest.param("\ufeffa", "⟨U+FEFF⟩a", id="byte order mark"),
        pytest.param("soft\u00adhyphen", "soft⟨U+00AD⟩hyphen", id="soft hyphen"),
        pytest.param("a\x00\x1b[31m", "a⟨U+0000⟩⟨U+001B⟩[31m", id="control and terminal codes"),
        pytest.param("a\rb", "a⟨U+000D⟩b", id="a lone carriage return overwrites"),
        pytest.param("a\u2028b", "a⟨U+2028⟩b", id="line separator"),
        pytest.param("\U000e0041", "⟨U+E0041⟩", id="tag characters"),
        pytest.param("\u3164", "⟨U+3164⟩", id="hangul filler"),
        pytest.param("x\ufe00", "x⟨U+FE00⟩", id="variation selector"),
        pytest.param("x\ufe0f", "x⟨U+FE0F⟩", id="emoji selector after a letter"),
        pytest.param("\ufe0f", "⟨U+FE0F⟩", id="emoji selector after nothing"),
        pytest.param("\ue000", "⟨U+E000⟩", id="private use"),
        pytest.param("\ud800", "⟨U+D800⟩", id="half a character"),
        pytest.param("❤\ufe0f", "❤\ufe0f", id="a symbol may be an emoji"),
        pytest.param("one\r\ntwo\n\tthree", "one\ntwo\n\tthree", id="lines and tabs stay"),
        pytest.param("10\u00a0000\u202f€", "10\u00a0000\u202f€", id="narrow spaces stay"),
        pytest.param("Gómez, Łódź, 東京, عمّان", "Gómez, Łódź, 東京, عمّان", id="scripts stay"),
        pytest.param("<b>&amp;", "<b>&amp;", id="escaping is the medium's affair"),
    ],
)
def test_visible(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(st.text())
def test_what_is_shown_is_shown_once(text: str) -> None:
    assert visible(visible(text)) == visible(text)


@given(st.text())
def test_nothing_disappears(text: str) -> None:
    assert len(visible(text)) >= len(text.replace("\r\n", "\n"))
