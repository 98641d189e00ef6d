"""The mailboxes as web pages: who got what, and each mail as its reader's program shows it."""

import re
from typing import Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from bot.demo.mail.mailbox import Mail, Mailbox
from bot.demo.pages import Nav, page

# What arrived runs no script, loads nothing, and opens its links in a tab of their own.
_UNTRUSTED: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; "
        "sandbox allow-popups allow-popups-to-escape-sandbox"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_BASE: Final = '<base target="_blank">'


class MailPage:
    """Lists the mailboxes and shows one mail; `parts` of it are HTML, text, headers and source."""

    def __init__(self, mailbox: Mailbox, nav: Nav) -> None:
        self._mailbox = mailbox
        self._nav = nav
        self.routes = [
            Route("/", self._list),
            Route("/changes", mailbox.changes.stream),
            Route("/mails/{mail}", self._one),
            Route("/mails/{mail}/html", self._html),
            Route("/mails/{mail}/raw", self._raw),
        ]

    async def _list(self, request: Request) -> Response:
        to = request.query_params.get("to", "")
        context: dict[str, object] = {
            "title": "Mail",
            "addresses": self._mailbox.addresses(),
            "to": to,
            "mails": self._mailbox.messages(to)[::-1],
        }
        return page(request, "mail/list.html", self._nav, context)

    async def _one(self, request: Request) -> Response:
        mail = self._asked_for(request)
        if mail is None:
            return _gone()
        context: dict[str, object] = {
            "title": "Mail",
            "mail": mail,
            "headers": [(name, str(value)) for name, value in mail.message.items()],
        }
        return page(request, "mail/one.html", self._nav, context)

    async def _html(self, request: Request) -> Response:
        mail = self._asked_for(request)
        if mail is None:
            return _gone()
        return HTMLResponse(_opening_tabs(mail.html), headers=_UNTRUSTED)

    async def _raw(self, request: Request) -> Response:
        mail = self._asked_for(request)
        if mail is None:
            return _gone()
        return PlainTextResponse(mail.raw.decode(errors="replace"), headers=_UNTRUSTED)

    def _asked_for(self, request: Request) -> Mail | None:
        return self._mailbox.find(request.path_params["mail"])


def _opening_tabs(html: str) -> str:
    with_base, found = re.subn(r"(?i)(<head\b[^>]*>)", rf"\1{_BASE}", html, count=1)
    return with_base if found else _BASE + html


def _gone() -> Response:
    return PlainTextResponse("There is no such mail.", status_code=404)
