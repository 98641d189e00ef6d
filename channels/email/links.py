"""Where the buttons of a mail lead: our own pages, and nowhere else."""

import re
from dataclasses import dataclass
from typing import Final

from channels.base import Card, ChannelMisconfigured, Notice

_OURS: Final = re.compile(
    r"https?://[A-Za-z0-9.:\[\]-]{1,255}(/[\x21\x23-\x26\x28-\x3b\x3d\x3f-\x7e]*)?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """One link: what it says, where it leads, and how it looks (approve, reject or plain)."""

    label: str
    url: str
    look: str = "plain"


def buttons(card: Card, *, is_open: bool, may_vote: bool) -> tuple[Button, ...]:
    """Approve and Reject, both to the personal page with the choice preselected; else a way to look."""
    if may_vote and card.respond_url is not None:
        approve = "Fill in to approve" if card.needs_answers else "Approve"
        return tuple(
            Button(label=label, url=_ours(f"{card.respond_url}?choice={choice}"), look=choice)
            for label, choice in ((approve, "approve"), ("Reject", "reject"))
        )
    if is_open:
        url = _ours(card.respond_url or card.page_url)
        return (Button(label="Open to review", url=url, look="main"),)
    return (Button(label="See what happened", url=_ours(card.page_url)),)


def page_link(card: Card, *, is_open: bool) -> Button:
    """The approval's own page."""
    label = "See the full request" if is_open else "See the record"
    return Button(label=label, url=_ours(card.page_url))


def notice_button(notice: Notice) -> Button | None:
    """What a notice asks to open, if anything."""
    if notice.url is None:
        return None
    return Button(label=notice.url_label or "Open", url=_ours(notice.url), look="main")


def _ours(url: str) -> str:
    if not _OURS.fullmatch(url):
        raise ChannelMisconfigured("SIGNOFF_BASE_URL does not make links that a mail can carry.")
    return url
