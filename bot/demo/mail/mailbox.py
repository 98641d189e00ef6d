"""The mails that were accepted, by whom they were for."""

import re
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from html import unescape

from bot.demo.changes import Changes


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """One accepted mail: the envelope, the bytes, and the message parsed from them."""

    id: str
    at: datetime
    sender: str
    recipients: tuple[str, ...]
    options: tuple[str, ...]
    raw: bytes
    message: EmailMessage

    @property
    def subject(self) -> str:
        """The subject, decoded."""
        return str(self.message["Subject"] or "")

    @property
    def text(self) -> str:
        """The plain part; empty when there is none."""
        return self._part("plain")

    @property
    def html(self) -> str:
        """The HTML part; empty when there is none."""
        return self._part("html")

    def links(self) -> list[str]:
        """Every web address in the mail, as any scanner would find them: HTML first, each once."""
        in_html = [unescape(found) for found in re.findall(r'href="(https?://[^"]+)"', self.html)]
        in_text = re.findall(r"https?://[^\s<>\"]+", self.text)
        return list(dict.fromkeys([*in_html, *in_text]))

    def _part(self, kind: str) -> str:
        part = self.message.get_body((kind,))
        content = part.get_content() if part is not None else ""
        return content if isinstance(content, str) else ""


class Mailbox:
    """All mails in the order they were accepted."""

    def __init__(self) -> None:
        self.changes = Changes()
        self._mails: list[Mail] = []

    def keep(self, mail: Mail) -> None:
        """Deliver a mail."""
        self._mails.append(mail)
        self.changes.announce()

    def messages(self, to: str = "", *, holding: str = "") -> list[Mail]:
        """Mails for `to`, oldest first, whose subject or text holds `holding`."""
        return [
            mail
            for mail in self._mails
            if (not to or to.lower() in map(str.lower, mail.recipients))
            and (holding in mail.subject or holding in mail.text)
        ]

    async def arrival(self, to: str = "", *, holding: str = "", number: int = 1) -> Mail:
        """The `number`th mail that fits, waited for.

        Raises:
            TimeoutError: if it did not come in time.
        """

        def find() -> Mail | None:
            found = self.messages(to, holding=holding)
            return found[number - 1] if len(found) >= number else None

        return await self.changes.until(find)

    def find(self, mail_id: str) -> Mail | None:
        """The mail with this id."""
        return next((mail for mail in self._mails if mail.id == mail_id), None)

    def addresses(self) -> dict[str, int]:
        """Everybody who got mail, with how many."""
        counts: dict[str, int] = {}
        for mail in self._mails:
            for address in mail.recipients:
                counts[address] = counts.get(address, 0) + 1
        return dict(sorted(counts.items()))

    def clear(self) -> None:
        """Throw everything away."""
        self._mails.clear()
        self.changes.announce()
