"""Builds the bytes of one mail, and makes sure that they say what they should and nothing else."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.parser import BytesParser
from typing import Final

from channels.base import ChannelRefused
from channels.email.limits import (
    HTML_BYTES_MAX,
    MESSAGE_ID_CHARS_MAX,
    NAME_CHARS_MAX,
    SUBJECT_CHARS_MAX,
)
from channels.email.wording import defanged, header_text
from engine.digest import sha256

APPROVAL: Final = "X-Signoff-Approval"
_FIXED: Final = {
    "Auto-Submitted": "auto-generated",
    "X-Auto-Response-Suppress": "All",
}
_OF_THE_BODY: Final = ("MIME-Version", "Content-Type")
_UNIQUE_DIGITS: Final = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """The two forms of one text. Each says everything; neither is made from the other."""

    text: str
    html: str

    def digest(self) -> str:
        """The SHA-256 of what is shown, whatever the day on which it is sent."""
        return sha256(f"{self.text}\n{self.html}".encode())


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """Who writes to whom, when, about what. `thread` is the Message-ID of the first mail, if any."""

    sender: Address
    to: Address
    subject: str
    message_id: str
    at: datetime
    thread: str | None = None
    approval: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A mail ready to be handed over."""

    content: bytes
    sender: str
    to: str
    needs_utf8: bool


def message_id(key: str, domain: str) -> str:
    """The Message-ID of the delivery `key`: the same on every attempt, at most 60 characters.

    Of a long domain only the last labels are kept; Python would encode a longer id, and a mail
    program would then not find the thread.
    """
    unique = hashlib.sha256(key.encode()).hexdigest()[:_UNIQUE_DIGITS]
    room = MESSAGE_ID_CHARS_MAX - len(f"<{unique}@>")
    while len(domain) > room and "." in domain:
        domain = domain.partition(".")[2]
    return f"<{unique}@{domain[:room]}>"


def subject(title: str) -> str:
    """The subject that a whole thread shares: one harmless line."""
    return f"[Approval] {header_text(defanged(title), chars=SUBJECT_CHARS_MAX)}"


def assembled(envelope: Envelope, body: Body) -> Mail:
    """The mail as multipart/alternative, text first.

    Raises:
        ChannelRefused: if the bytes, read again, hold another header than the intended ones, or the
            HTML is so long that readers would cut it: rather no mail than one that says otherwise.
    """
    if len(body.html.encode()) > HTML_BYTES_MAX:
        raise ChannelRefused("The mail would be too long to be shown whole.", code="mail_too_long")
    needs_utf8 = not envelope.to.addr_spec.isascii()
    mail = EmailMessage(policy=policy.SMTPUTF8 if needs_utf8 else policy.SMTP)
    headers = _headers(envelope)
    for name, value in headers.items():
        mail[name] = value
    mail.set_content(body.text, cte="quoted-printable")
    mail.add_alternative(body.html, subtype="html", cte="quoted-printable")
    content = mail.as_bytes()
    _check(content, headers)
    return Mail(
        content=content,
        sender=envelope.sender.addr_spec,
        to=envelope.to.addr_spec,
        needs_utf8=needs_utf8,
    )


def _headers(envelope: Envelope) -> dict[str, str | Address | datetime]:
    headers: dict[str, str | Address | datetime] = {
        "From": envelope.sender,
        "To": envelope.to,
        "Subject": header_text(envelope.subject, chars=SUBJECT_CHARS_MAX + NAME_CHARS_MAX),
        "Date": envelope.at,
        "Message-ID": envelope.message_id,
    }
    if envelope.thread is not None:
        headers |= {"In-Reply-To": envelope.thread, "References": envelope.thread}
    if envelope.approval is not None:
        headers[APPROVAL] = header_text(envelope.approval)
    return {**headers, **_FIXED}


def _check(content: bytes, headers: Mapping[str, object]) -> None:
    # The second lock: whatever a header class made of a value, only these names may come out.
    parsed = BytesParser(policy=policy.default).parsebytes(content)
    if sorted(parsed.keys()) != sorted([*headers, *_OF_THE_BODY]) or parsed.defects:
        raise ChannelRefused("The mail came out with headers of its own.", code="mail_malformed")
    parts = [part.get_content_type() for part in parsed.iter_parts()]
    if parts != list(_PARTS):
        raise ChannelRefused("The mail came out with parts of its own.", code="mail_malformed")


_PARTS: Final[Sequence[str]] = ("text/plain", "text/html")
