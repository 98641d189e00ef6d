"""What the email channel is told: which server takes its mail, how safely, and who writes."""

import re
from dataclasses import dataclass, field
from email.headerregistry import Address
from enum import StrEnum
from ipaddress import ip_address
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

from channels.base import ChannelMisconfigured
from channels.email.addresses import ascii_domain, named_address


class Security(StrEnum):
    """How the connection is protected; the value is the scheme of the URL."""

    NONE = "smtp"
    STARTTLS = "smtp+starttls"
    TLS = "smtps"


PORTS: Final = {Security.NONE: 25, Security.STARTTLS: 587, Security.TLS: 465}
_SHAPE: Final = "Write it as smtp+starttls://user:password@host:587, smtps://… or smtp://…"
_HOST: Final = re.compile(r"[A-Za-z0-9_.:-]{1,253}")


@dataclass(frozen=True, slots=True, kw_only=True)
class MailConfig:
    """Where mail is handed over, and who it is from. `domain` ends every Message-ID."""

    host: str
    port: int
    security: Security
    sender: Address
    domain: str
    username: str | None = None
    password: str = field(default="", repr=False)


def mail_config(smtp_url: str, *, mail_from: str, domain: str | None = None) -> MailConfig:
    """The configuration in `SIGNOFF_SMTP_URL` and `SIGNOFF_MAIL_FROM`.

    User and password are percent-decoded. Message-IDs end in the sender's domain unless `domain`
    names another.

    Raises:
        ChannelMisconfigured: if a setting cannot work; the sentence names it and never repeats it.
    """
    sender = _sender(mail_from)
    security, parts = _split(smtp_url)
    host = parts.hostname or ""
    username = unquote(parts.username) if parts.username else None
    if username and security is Security.NONE and not _is_here(host):
        raise ChannelMisconfigured(
            "SIGNOFF_SMTP_URL would send a password unencrypted. Use smtp+starttls:// or smtps://."
        )
    try:
        ending = ascii_domain(domain or sender.domain)
    except ValueError:
        raise ChannelMisconfigured("The domain for Message-IDs is not a domain.") from None
    return MailConfig(
        host=host, port=_port(parts) or PORTS[security], security=security, sender=sender,
        domain=ending, username=username, password=unquote(parts.password or ""),
    )  # fmt: skip


def _split(smtp_url: str) -> tuple[Security, SplitResult]:
    try:
        parts = urlsplit(smtp_url.strip())
        security = Security(parts.scheme)
    except ValueError:
        raise ChannelMisconfigured(f"SIGNOFF_SMTP_URL is not understood. {_SHAPE}") from None
    if not _HOST.fullmatch(parts.hostname or ""):
        raise ChannelMisconfigured(f"SIGNOFF_SMTP_URL names no host. {_SHAPE}")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ChannelMisconfigured(
            "SIGNOFF_SMTP_URL goes on after the port. Percent-encode / ? # and @ in its password: "
            "/ is %2F, ? is %3F, # is %23, @ is %40."
        )
    return security, parts


def _port(parts: SplitResult) -> int | None:
    try:
        return parts.port
    except ValueError:
        raise ChannelMisconfigured(
            "SIGNOFF_SMTP_URL has no usable port. Percent-encode : / ? # and @ in its password."
        ) from None


def _sender(mail_from: str) -> Address:
    try:
        sender = named_address(mail_from)
        sender.addr_spec.encode("ascii")
    except ValueError:
        raise ChannelMisconfigured(
            "SIGNOFF_MAIL_FROM is not an address. Write it as Approvals <approvals@example.com>."
        ) from None
    return sender


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
