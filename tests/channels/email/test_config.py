"""Settings that cannot work are refused in a sentence that names the setting, never its value."""

import pytest

from channels.base import ChannelMisconfigured
from channels.email.config import MailConfig, Security, mail_config

SENDER = "Approvals <approvals@example.com>"


@pytest.mark.parametrize(
    "url",
    [
        *("", "mail.example.com", "http://mail.example.com", "smtp://", "smtp://:25", "smtps:///x"),
        *("smtp+tls://mail.example.com", "smtps://mail.example.com:99999", "smtps://mail:port"),
        *("smtps://u:s3cret/x@mail.example.com", "smtps://u:s3cret#x@mail.example.com"),
        *("smtps://mail.example.com/?x=1", "smtps://ma il.example.com", "smtps://[::1"),
        "smtp://u:s3cret@mail.example.com",
    ],
)
def test_a_url_that_cannot_work_is_refused_without_repeating_its_password(url: str) -> None:
    with pytest.raises(ChannelMisconfigured, match="SIGNOFF_SMTP_URL") as refusal:
        mail_config(url, mail_from=SENDER)

    assert "s3cret" not in str(refusal.value)


@pytest.mark.parametrize(
    "sender",
    ["", "Approvals", "a@b, c@d", "<a@b", "a@b\r\nBcc: e@x", "ä@example.com", "@example.com"],
)
def test_a_sender_that_is_no_address_is_refused(sender: str) -> None:
    with pytest.raises(ChannelMisconfigured, match="SIGNOFF_MAIL_FROM"):
        mail_config("smtps://mail.example.com", mail_from=sender)


@pytest.mark.parametrize(
    ("url", "security", "port"),
    [
        ("smtp://127.0.0.1", Security.NONE, 25),
        ("smtp+starttls://mail.example.com", Security.STARTTLS, 587),
        ("smtps://mail.example.com", Security.TLS, 465),
        ("SMTPS://mail.example.com:2465/", Security.TLS, 2465),
    ],
)
def test_the_scheme_says_how_the_connection_is_protected(
    url: str, security: Security, port: int
) -> None:
    config = mail_config(url, mail_from=SENDER)

    assert (config.security, config.port) == (security, port)


def test_user_and_password_are_percent_decoded_and_the_password_is_not_shown() -> None:
    config = mail_config("smtps://u%40x:p%2Fw%40%23@mail.example.com", mail_from=SENDER)

    assert (config.username, config.password) == ("u@x", "p/w@#")
    assert "p/w@#" not in repr(config)


def test_a_password_may_travel_in_the_open_inside_this_machine_alone() -> None:
    assert mail_config("smtp://u:p@localhost:1025", mail_from=SENDER).username == "u"
    assert isinstance(mail_config("smtp://u:p@127.0.0.1", mail_from=SENDER), MailConfig)


def test_message_ids_end_in_the_senders_domain_spelled_in_ascii() -> None:
    assert (
        mail_config("smtps://m.example", mail_from="a@bücher.example").domain
        == "xn--bcher-kva.example"
    )
    assert (
        mail_config("smtps://m.example", mail_from=SENDER, domain="X.example").domain == "x.example"
    )
