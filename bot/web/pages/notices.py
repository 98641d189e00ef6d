"""One sentence that a deed leaves for the next page: signed, shown once, and gone."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Final, Literal

from starlette.requests import Request
from starlette.responses import Response

from bot.application import Application
from bot.web.callers import cookie_name
from bot.web.pages.stamps import is_stamped, stamp
from bot.web.state import application_of

SHOWN_WITHIN: Final = timedelta(minutes=1)
CHARS_MAX: Final = 700  # with its signature it fits into a cookie, whatever the alphabet

Tone = Literal["good", "bad", "warn"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PageNotice:
    """What became of something, and whether that is good."""

    tone: Tone
    text: str


def keep_cookie(
    response: Response, application: Application, name: str, value: str, *, keep_for: timedelta
) -> None:
    """Set a cookie that only this server reads: no script, no other site, no subdomain."""
    response.set_cookie(
        name,
        value,
        max_age=round(keep_for.total_seconds()),
        path="/",
        secure=application.is_secure,
        httponly=True,
        samesite="lax",
    )


def drop_cookie(response: Response, application: Application, name: str) -> None:
    """Take back what `keep_cookie` set."""
    response.delete_cookie(
        name, path="/", secure=application.is_secure, httponly=True, samesite="lax"
    )


def leave(response: Response, application: Application, notice: PageNotice) -> None:
    """Let the next page show `notice`; one that waits already is replaced."""
    text = json.dumps({**asdict(notice), "text": notice.text[:CHARS_MAX]}, ensure_ascii=False)
    body = urlsafe_b64encode(text.encode()).decode().rstrip("=")
    signed = f"{body}.{stamp(application, 'notice', body)}"
    keep_cookie(response, application, _name(application), signed, keep_for=SHOWN_WITHIN)


def left(request: Request) -> PageNotice | None:
    """The notice that waits for this page, if this server wrote it within the last minute."""
    application = application_of(request)
    body, _, stamped = request.cookies.get(_name(application), "").partition(".")
    if not is_stamped(application, "notice", body, stamped=stamped, within=SHOWN_WITHIN):
        return None
    padded = body + "=" * (-len(body) % 4)
    return PageNotice(**json.loads(urlsafe_b64decode(padded)))


def forget(response: Response, application: Application) -> None:
    """The notice was shown."""
    drop_cookie(response, application, _name(application))


def _name(application: Application) -> str:
    return f"{cookie_name(application)}-notice"
