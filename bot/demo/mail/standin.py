"""The mail stand-in, assembled: an SMTP port, the mailboxes, and a page to read them."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from starlette.applications import Starlette

from bot.demo.mail.mailbox import Mailbox
from bot.demo.mail.page import MailPage
from bot.demo.mail.server import Abilities, Rules, StrictSmtp, smtp_served
from bot.demo.mail.trouble import MailFaults
from bot.demo.pages import STATIC, Nav
from engine.clock import Clock
from engine.ids import Ids


class MailStandIn:
    """A mail server. `mailbox` holds what was accepted, `faults` make trouble, `app` is the page.

    Whoever writes to it needs `port`, or `smtp_url` as `SIGNOFF_SMTP_URL`; both are there while
    `listening()` is entered.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        ids: Ids,
        abilities: Abilities | None = None,
        nav: Nav | None = None,
    ) -> None:
        self.mailbox = Mailbox()
        self.faults = MailFaults()
        self.abilities = abilities or Abilities()
        self.port = 0
        page = MailPage(self.mailbox, nav or Nav())
        self.app = Starlette(routes=[*page.routes, STATIC])
        self._clock = clock
        self._ids = ids

    @property
    def smtp_url(self) -> str:
        """What `SIGNOFF_SMTP_URL` is to be, without a name and password."""
        scheme = "smtp+starttls" if self.abilities.tls else "smtp"
        return f"{scheme}://127.0.0.1:{self.port}"

    @asynccontextmanager
    async def listening(self, *, port: int = 0) -> AsyncGenerator[int]:
        """Accept mail on `port`, a free one by default, and yield it.

        Raises:
            OSError: if the port is taken.
        """
        async with smtp_served(self._session, port=port) as self.port:
            yield self.port

    def _session(self) -> StrictSmtp:
        rules = Rules(self.mailbox, self.faults, self.abilities, self._clock, self._ids)
        return StrictSmtp(rules, self.abilities)
