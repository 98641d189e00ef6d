"""Nothing that people write becomes a link, and what they meant can still be read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.email.wording import header_text, shown
from tests.channels.email.oracle import LINKED_BY_PROGRAMS


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("https://evil.example/x?y=1", "https[:]//evil[.]example/x?y=1"),
        ("www.evil.example", "www[.]evil[.]example"),
        ("eve@evil.example", "eve[@]evil[.]example"),
        ("192.0.2.7", "192[.]0[.]2[.]7"),
        ("javascript:alert(1)", "javascript[:]alert(1)"),
        (r"\\server\share", r"[\\]server\share"),
        ("620.00 USD", "620.00 USD"),
        ("version 1.2.3", "version 1.2.3"),
        ("Done. Next: approve", "Done. Next: approve"),
        ("12:30, e.g. noon", "12:30, e.g. noon"),
        ("ratio 1:2", "ratio 1:2"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("safe\u202etxt", "safe⟨U+202E⟩txt"),
    ],
)
def test_words_read_the_same_and_lead_nowhere(written: str, read: str) -> None:
    assert shown(written) == read


PIECES = st.sampled_from(
    [
        *(
            "http",
            "https",
            ":",
            "//",
            "www",
            ".",
            "evil",
            "example",
            "com",
            "@",
            "\\",
            "mailto",
            "1",
        ),
        *("192", "0", "2", "/", " ", "-", "_", "(", ")", "[", "]", "javascript", "xn--", "é", "\n"),
    ]
)


@given(st.lists(PIECES, max_size=12).map("".join))
def test_no_mix_of_pieces_becomes_a_link(text: str) -> None:
    for line in shown(text).splitlines():
        assert not LINKED_BY_PROGRAMS.search(line)


@given(st.text(max_size=300))
def test_a_header_value_is_one_short_harmless_line(text: str) -> None:
    found = header_text(text)

    assert found.isprintable()
    assert "=?" not in found
    assert len(found) <= 80
