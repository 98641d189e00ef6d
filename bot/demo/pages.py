"""What the stand-ins' pages share: templates, static files, navigation and headers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from jinja2 import ChainableUndefined, Environment, FileSystemLoader
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

_HERE: Final = Path(__file__).resolve().parent
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}

TEMPLATES: Final = Environment(
    loader=FileSystemLoader(_HERE.parents[1] / "templates" / "demo"),
    autoescape=True,
    undefined=ChainableUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
STATIC: Final = Mount("/static", StaticFiles(directory=_HERE / "static"))


@dataclass(slots=True, kw_only=True)
class Nav:
    """The places one can go, by name; empty for a stand-in that is served alone."""

    links: dict[str, str] = field(default_factory=dict[str, str])


def page(request: Request, template: str, nav: Nav, context: Mapping[str, object]) -> Response:
    """Render `template`; `root` in it is where the stand-in is mounted, `title` what it is."""
    root = request.scope.get("root_path", "")
    html = TEMPLATES.get_template(template).render(root=root, nav=nav, **context)
    return HTMLResponse(html, headers=_HEADERS)


def back_to(request: Request, path: str) -> Response:
    """After a deed, show the page again."""
    return RedirectResponse(f"{request.scope.get('root_path', '')}{path}", status_code=303)


def is_foreign(request: Request) -> bool:
    """Whether another site made the browser send this; its visitors press no buttons here."""
    return request.headers.get("sec-fetch-site", "none") in ("cross-site", "same-site")


def refused() -> Response:
    """The answer to a foreign request."""
    return PlainTextResponse("This came from another site.", status_code=403)
