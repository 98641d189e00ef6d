"""Addresses that are told of a run: what is one, and what others may see of it."""

import pytest

from engine.rules.following import FOLLOWERS_MAX, parse_followers
from engine.rules.wording import BadRule


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param("ops", id="no scheme"),
        pytest.param("mailto:ana", id="no address of mail"),
        pytest.param("mailto:ana@example.com\nBcc: x@example.com", id="another header"),
        pytest.param("ftp://example.com", id="a scheme that nobody speaks"),
        pytest.param("https://", id="no host"),
        pytest.param("https://exa mple.com", id="a space"),
        pytest.param("slack:", id="nowhere in Slack"),
        pytest.param("slack:#a b", id="no channel of Slack"),
        pytest.param("webhook:../x", id="no name of a webhook"),
        pytest.param([1], id="a number"),
        pytest.param({"https": "x"}, id="a table"),
        pytest.param(["slack:#ops"] * (FOLLOWERS_MAX + 1), id="too many"),
    ],
)
def test_what_is_no_address_is_refused_in_words(raw: object) -> None:
    with pytest.raises(BadRule) as refused:
        parse_followers(raw)

    assert refused.value.code == "bad_notify"
    assert "mailto:ana@example.com" in str(refused.value)


@pytest.mark.parametrize(
    ("raw", "channel", "address"),
    [
        ("https://ops.example.com/hook?key=1", "webhook", "https://ops.example.com/hook?key=1"),
        ("webhook:erp", "webhook", "erp"),
        ("mailto:Ana@Example.com", "email", "ana@example.com"),
        ("slack:#ops", "slack", "#ops"),
        ("slack://prod", "slack", "#prod"),
        ("slack://#prod", "slack", "#prod"),
        ("slack:C0123ABC", "slack", "C0123ABC"),
        ("slack:T0123/U0AAA", "slack", "T0123/U0AAA"),
    ],
)
def test_an_address_is_understood(raw: str, channel: str, address: str) -> None:
    (found,) = parse_followers(raw)

    assert (found.channel, found.address) == (channel, address)


def test_one_that_is_there_twice_is_told_once() -> None:
    assert len(parse_followers(["slack:#ops", "slack://ops"])) == 1
    assert parse_followers([]) == ()


def test_of_an_address_on_the_web_others_see_the_host_alone() -> None:
    (found,) = parse_followers("https://hooks.example.com/services/T0/B0/secret?token=hush")

    assert found.shown() == "https://hooks.example.com/…"
