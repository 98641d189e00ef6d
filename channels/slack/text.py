"""Text for Slack: escaped once, cut without breaking anything, and never live."""

from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from channels.slack import limits
from channels.visible import visible

TextObject = dict[str, object]

BLANK: Final = "(blank)"
_ELLIPSIS: Final = "…"
_TEMPLATES: Final = Path(__file__).parents[2] / "templates" / "slack"


class Mrkdwn(str):
    """Text that is already Slack's own markup; all else is escaped when written out."""

    __slots__ = ()

    def __html__(self) -> str:
        return self


def escape(text: str) -> Mrkdwn:
    """`text` as characters: only `&`, `<` and `>` can make a mention or a link of it."""
    return Mrkdwn(text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))


def shown(text: str) -> str:
    """`text` as people will see it: control characters made visible, and never nothing at all."""
    seen = visible(text)
    return seen if seen.strip() else BLANK


def one_line(text: str) -> str:
    """As `shown`, without a line of its own in which it could pretend to be our words."""
    return shown(text).replace("\n", " ⏎ ").replace("\t", " ")


def clipped(text: str, most: int) -> str:
    """`text` in at most `most` characters, ending in an ellipsis where something is missing."""
    return text if len(text) <= most else text[: most - 1] + _ELLIPSIS


def cut(text: Mrkdwn, most: int) -> Mrkdwn:
    """As `clipped`, but no entity and no `<…>` is cut in two."""
    if len(text) <= most:
        return text
    kept = text[: most - 1]
    for opening, closing in (("&", ";"), ("<", ">")):
        start = kept.rfind(opening)
        if start > kept.rfind(closing):
            kept = kept[:start]
    return Mrkdwn(kept + _ELLIPSIS)


def mrkdwn(text: Mrkdwn, most: int = limits.SECTION_TEXT) -> TextObject:
    """A text object of our own markup; `verbatim` keeps Slack from making links of bare words."""
    return {"type": "mrkdwn", "text": cut(text, most) or BLANK, "verbatim": True}


def plain(text: str, most: int = limits.SECTION_TEXT) -> TextObject:
    """A text object that is characters only: no markup, no mention, no link, no emoji."""
    return {"type": "plain_text", "text": clipped(shown(text), most), "emoji": False}


def moment(at: datetime) -> Mrkdwn:
    """`at` in each reader's own time zone, and in UTC where Slack cannot know it."""
    in_utc = at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return Mrkdwn(f"<!date^{int(at.timestamp())}^{{date_short_pretty}} {{time}}|{in_utc}>")


def link(url: str, label: str) -> Mrkdwn:
    """A link to one of our own pages; only the label where the address is none."""
    if not is_link(url):
        return escape(label)
    safe = url.replace("&", "&amp;").replace("<", "%3C").replace(">", "%3E").replace("|", "%7C")
    return Mrkdwn(f"<{safe}|{escape(label)}>")


def is_link(url: str) -> bool:
    """Whether `url` can stand behind a button."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return (
        parts.scheme in ("https", "http") and bool(parts.netloc) and len(url) <= limits.BUTTON_URL
    )


def prose(template: str, **values: object) -> Mrkdwn:
    """The words of `templates/slack/<template>.mrkdwn.j2`, every value escaped as it is written."""
    words = _environment().get_template(f"{template}.mrkdwn.j2")
    return Mrkdwn(words.render(moment=moment, link=link, **values).strip())


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_TEMPLATES),
        undefined=StrictUndefined,
        autoescape=True,
        finalize=_written,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _written(value: object) -> Mrkdwn:
    # Jinja escapes for HTML whatever does not say by `__html__` that it is finished; ours does.
    return value if isinstance(value, Mrkdwn) else escape(one_line(str(value)))
