"""Endpoints that cannot work are refused by name, and no secret is ever repeated."""

import base64

import pytest

from channels.base import ChannelMisconfigured
from channels.webhook.config import WebhookTarget, by_name, signing_key
from tests.channels.webhook.conftest import NEW, OLD, STRANGE, target

URL = "https://erp.example.com/hooks"


def coded(size: int) -> str:
    return "whsec_" + base64.b64encode(b"k" * size).decode()


@pytest.mark.parametrize("name", ["", "ERP", "e r p", "erp/x", "x" * 65, "https://x"])
def test_a_name_is_plain(name: str) -> None:
    with pytest.raises(ChannelMisconfigured):
        target(URL, name=name)


@pytest.mark.parametrize(
    "url", ["", "erp.example.com", "ftp://x", "https://", "https://x y", "https://é"]
)
def test_a_url_is_a_full_web_address(url: str) -> None:
    with pytest.raises(ChannelMisconfigured, match=r"\[webhooks.erp\] url"):
        target(url)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_***", coded(23), coded(65), "é"])
def test_a_secret_that_is_none_is_refused_without_being_repeated(secret: str) -> None:
    with pytest.raises(ChannelMisconfigured, match="secret 2") as refusal:
        target(URL, secrets=(NEW, secret))

    assert not secret or secret == "whsec_" or secret not in str(refusal.value)


def test_an_endpoint_needs_a_secret() -> None:
    with pytest.raises(ChannelMisconfigured, match="secrets"):
        target(URL, secrets=())


def test_two_endpoints_share_neither_name_nor_secret() -> None:
    with pytest.raises(ChannelMisconfigured, match="twice"):
        by_name([target(URL), target(URL, secrets=(STRANGE,))])
    with pytest.raises(ChannelMisconfigured, match="share a secret"):
        by_name([target(URL), target(URL, name="crm", secrets=(STRANGE, OLD.rstrip("=")))])


def test_a_secret_may_come_without_its_prefix_and_padding() -> None:
    assert signing_key(NEW.removeprefix("whsec_").rstrip("=")) == signing_key(NEW) == b"\x01" * 32


def test_secrets_are_not_shown() -> None:
    assert NEW not in repr(WebhookTarget(name="erp", url=URL, secrets=(NEW,)))
