"""Fills the templates of a mail: the text from the same data as the HTML, never from the HTML."""

from pathlib import Path
from typing import Final

import css_inline
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from channels.email.links import Button
from channels.email.view import CardView

_FOLDER: Final = Path(__file__).resolve().parents[2] / "templates" / "email"
# Escaping goes by the name of the file. Text has no markup to escape: every value in it came through
# `wording.shown` and stands on one line, or behind a prefix.
_WORDS: Final = Environment(
    loader=FileSystemLoader(_FOLDER),
    autoescape=select_autoescape(enabled_extensions=("html.j2", "css"), default=False),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_INLINER: Final = css_inline.CSSInliner(load_remote_stylesheets=False)


def card_html(view: CardView) -> str:
    """The HTML part of a card, its styles inlined."""
    return _INLINER.inline(_WORDS.get_template("card.html.j2").render(card=view))


def card_text(view: CardView) -> str:
    """The plain part of a card; it says everything that the HTML says."""
    return _WORDS.get_template("card.txt.j2").render(card=view)


def notice_html(*, title: str, lines: tuple[str, ...], button: Button | None) -> str:
    """The HTML part of a notice."""
    page = _WORDS.get_template("notice.html.j2").render(title=title, lines=lines, button=button)
    return _INLINER.inline(page)


def notice_text(*, title: str, lines: tuple[str, ...], button: Button | None) -> str:
    """The plain part of a notice."""
    return _WORDS.get_template("notice.txt.j2").render(title=title, lines=lines, button=button)
