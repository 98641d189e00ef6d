"""The templates' environment: everything escaped, everything invisible shown, nothing undefined."""

from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bot.web import filters
from bot.web.form_fields import form_fields
from bot.web.pictures import picture
from channels.visible import visible

STATIC: Final = Path(__file__).parent / "static"


@cache
def environment(templates: Path) -> Environment:
    """Templates below `templates`, named like `web/inbox.html`; the same ones for the same folder, compiled once.

    Every value is made visible and then escaped where it is written; a name that was not handed
    over is an error, except those which `base.html` says may be left out.
    """
    made = Environment(
        loader=FileSystemLoader(templates),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    known: dict[str, Any] = made.filters
    known.update(filters.ALL, picture=picture, form_fields=form_fields)
    given: dict[str, Any] = made.globals
    given.update(
        viewer=None, csrf="", here="", notice=None, sent=None, people={}, asset=_Assets(STATIC)
    )
    return made


def _finalize(value: object) -> object:
    # Markup is a subclass of str: what a filter or a macro already wrote stays as it is.
    return visible(value) if type(value) is str else value


class _Assets:
    """The address of a static file; it changes with the file, so that it can be kept for ever."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._addresses: dict[str, str] = {}

    def __call__(self, name: str) -> str:
        if name not in self._addresses:
            version = sha256((self._folder / name).read_bytes()).hexdigest()[:10]
            self._addresses[name] = f"/static/{name}?v={version}"
        return self._addresses[name]
