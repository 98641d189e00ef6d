"""The email channel: a mail for each approver with the two quick actions, and one for what follows."""

import ssl
from email.headerregistry import Address
from typing import Final

from typing_extensions import override

from channels.base import Capabilities, Card, Channel, MessageRef, Notice, RecipientUnknown
from channels.email import rendering
from channels.email.addresses import address
from channels.email.config import MailConfig
from channels.email.limits import FACT_CHARS_MAX, SUBJECT_CHARS_MAX
from channels.email.links import notice_button
from channels.email.message import Body, Envelope, assembled, message_id, subject
from channels.email.smtp import Smtp
from channels.email.view import card_view, notice_lines, notice_title
from channels.email.wording import defanged, header_text
from engine.clock import Clock

# What is worth a further mail. How the votes stand is not: it is on the page, one click away.
WORTH_A_MAIL: Final = frozenset(
    {
        "approval.decided",
        "approval.expired",
        "approval.cancelled",
        "approval.changes_requested",
        "approval.reminded",
        "approval.edited",
        "approval.escalated",
        "approval.rolled_back",
        "run.rolled_back",
    }
)


class EmailChannel(Channel):
    """Sends through the configured server. A repeated delivery carries the same Message-ID."""

    def __init__(
        self, config: MailConfig, *, clock: Clock, tls: ssl.SSLContext | None = None
    ) -> None:
        self._config, self._clock = config, clock
        self._server = Smtp(config, tls=tls)

    @property
    @override
    def name(self) -> str:
        return "email"

    @property
    @override
    def capabilities(self) -> Capabilities:
        return Capabilities(edits=False, votes=True, text_chars_max=FACT_CHARS_MAX)

    @override
    async def post(self, card: Card, *, to: str, key: str) -> MessageRef:
        """Send the first mail of a thread to the address `to`."""
        about = subject(card.title)
        first = message_id(key, self._config.domain)
        return await self._send(
            card, to=to, key=key, thread={"message_id": first, "subject": about}
        )

    @override
    async def update(self, card: Card, ref: MessageRef, *, to: str, key: str) -> MessageRef:
        """Send a further mail into the thread for what people must know; else change nothing."""
        if card.event not in WORTH_A_MAIL:
            return ref
        return await self._send(card, to=to, key=key, thread=dict(ref.data))

    @override
    async def tell(self, notice: Notice, *, to: str, key: str) -> None:
        button = notice_button(notice)
        title, lines = notice_title(notice.title), notice_lines(notice.text)
        body = Body(
            text=rendering.notice_text(title=title, lines=lines, button=button),
            html=rendering.notice_html(title=title, lines=lines, button=button),
        )
        envelope = Envelope(
            sender=self._config.sender,
            to=_recipient(to, name=""),
            subject=header_text(defanged(notice.title), chars=SUBJECT_CHARS_MAX),
            message_id=message_id(key, self._config.domain),
            at=self._clock.now(),
        )
        await self._server.deliver(assembled(envelope, body))

    @override
    async def check_health(self) -> None:
        await self._server.check()

    async def _send(self, card: Card, *, to: str, key: str, thread: dict[str, str]) -> MessageRef:
        view = card_view(card)
        body = Body(text=rendering.card_text(view), html=rendering.card_html(view))
        own = message_id(key, self._config.domain)
        first = thread.get("message_id", own)
        about = thread.get("subject", subject(card.title))
        envelope = Envelope(
            sender=self._config.sender,
            to=_recipient(to, name=card.person_name or ""),
            subject=about if first == own else f"Re: {about}",
            message_id=own,
            at=self._clock.now(),
            thread=None if first == own else first,
            approval=card.approval,
        )
        await self._server.deliver(assembled(envelope, body))
        return MessageRef(
            data={**thread, "message_id": first, "subject": about},
            shown=body.digest(),
            left_out=view.left_out_labels,
        )


def _recipient(to: str, *, name: str) -> Address:
    try:
        return address(to, name=name)
    except ValueError:
        raise RecipientUnknown(f"{to!a} is not an email address.") from None
