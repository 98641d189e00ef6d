"""Text for Slack is escaped exactly, cut without damage, and links lead nowhere else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.slack.answers import is_slack
from channels.slack.text import (
    BLANK,
    Mrkdwn,
    clipped,
    cut,
    escape,
    link,
    moment,
    one_line,
    plain,
    prose,
    shown,
)
from tests.clock import NOON

HOSTILE = st.text(alphabet="&<>;amp!@#|^ ab\u202e\u200b\n", max_size=80)


@pytest.mark.parametrize(
    ("raw", "written"),
    [
        ("<!channel>", "&lt;!channel&gt;"),
        ("<@U0ANA>", "&lt;@U0ANA&gt;"),
        ("R&D", "R&amp;D"),
        ("&lt;", "&amp;lt;"),
        ("*bold* _it_ `code` ~no~ \"q\" 'q'", "*bold* _it_ `code` ~no~ \"q\" 'q'"),
    ],
)
def test_exactly_three_characters_are_escaped(raw: str, written: str) -> None:
    assert escape(raw) == written


@given(HOSTILE, st.integers(min_value=2, max_value=90))
def test_no_entity_is_ever_cut_in_two(raw: str, most: int) -> None:
    short = cut(escape(raw), most)

    assert len(short) <= most
    left = short.replace("&amp;", "").replace("&lt;", "").replace("&gt;", "")
    assert "&" not in left
    assert "<" not in short


@given(st.integers(min_value=2, max_value=200))
def test_no_date_and_no_link_is_ever_cut_in_two(most: int) -> None:
    whole = Mrkdwn(f"until {moment(NOON)} see {link('https://a.example/x?a=1&b=2', 'it')} now")

    short = cut(whole, most)

    assert len(short) <= most
    assert short.count("<") == short.count(">")


def test_what_is_cut_says_so() -> None:
    assert clipped("abcdef", 4) == "abc…"
    assert clipped("abcd", 4) == "abcd"
    assert cut(escape("abc&"), 8) == "abc&amp;"
    assert cut(escape("abc&d"), 7) == "abc…"


@pytest.mark.parametrize("raw", ["", " ", "\n\n", "\t"])
def test_nothing_is_shown_as_blank_because_slack_refuses_it(raw: str) -> None:
    assert plain(raw)["text"] == BLANK


def test_what_cannot_be_seen_is_written_out() -> None:
    assert shown("safe\u202etxt.exe\u200b") == "safe⟨U+202E⟩txt.exe⟨U+200B⟩"
    assert one_line("Ana\n*Approved by the board*") == "Ana ⏎ *Approved by the board*"


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "//evil.example", "", "https://", "http://[", "data:x,y"]
)
def test_only_web_addresses_become_links(url: str) -> None:
    assert link(url, "<Open>") == "&lt;Open&gt;"


def test_a_link_cannot_be_closed_early() -> None:
    assert link("https://a.example/?q=x|y>z&b", "A|B>") == (
        "<https://a.example/?q=x%7Cy%3Ez&amp;b|A|B&gt;>"
    )


@given(HOSTILE)
def test_templates_escape_every_value_once(raw: str) -> None:
    words = prose("note", note=raw)

    assert words == f"_{escape(one_line(raw))}_".strip()


@pytest.mark.parametrize(
    ("url", "is_allowed"),
    [
        ("https://hooks.slack.com/actions/T/1/x", True),
        ("https://hooks.slack-gov.com/actions/T/1/x", True),
        ("http://127.0.0.1:5000/respond/x", True),
        ("http://hooks.slack.com/actions/T/1/x", False),
        ("https://hooks.slack.com:8443/x", False),
        ("https://hooks.slack.com@evil.example/x", False),
        ("https://x@hooks.slack.com/x", False),
        ("https://hooks.slack.com.evil.example/x", False),
        ("http://127.0.0.1:5001/respond/x", False),
        ("https://127.0.0.1:5000/respond/x", False),
        ("http://169.254.169.254/latest", False),
        ("http://[", False),
        ("https://hooks.slack.com:x/", False),
    ],
)
def test_answers_go_to_slack_only(url: str, is_allowed: bool) -> None:
    assert is_slack(url, api_url="http://127.0.0.1:5000/api/") is is_allowed
