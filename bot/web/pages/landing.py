"""Where somebody goes after signing in: back to a page of ours, and never anywhere else."""

import re
from typing import Final
from urllib.parse import quote

from starlette.requests import Request

START: Final = "/"

# A list of what is allowed, not of what is not: the next trick is not on the list either.
_PAGE: Final = re.compile(
    r"/(?:(?:approvals|runs|cases|definitions|outbox|budgets|kill-switch|docs)(?:/[A-Za-z0-9_-]{1,100})?(?:\?[A-Za-z0-9_=&%.+-]{0,400})?)?"
)


def landing(wanted: str | None) -> str:
    """`wanted`, if it is the relative address of one of our pages; else the start page."""
    return wanted if wanted is not None and _PAGE.fullmatch(wanted) else START


def sign_in_path(request: Request) -> str:
    """The sign-in page that leads back to what `request` wanted to see or change."""
    path = request.url.path
    if request.method == "GET":
        wanted = f"{path}?{request.url.query}" if request.url.query else path
    else:
        wanted = "/".join(path.removesuffix("/bulk").split("/")[:3])
    page = landing(wanted)
    return "/sign-in" if page == START else f"/sign-in?next={quote(page, safe='')}"
