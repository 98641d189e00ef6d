"""How pages are shown: rendered with who looks, refusals as pages, and strangers led to sign in."""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.responses import HTMLResponse, RedirectResponse
from typing_extensions import override

from bot.web import problems
from bot.web.callers import is_signed_in
from bot.web.pages import notices
from bot.web.pages.landing import sign_in_path
from bot.web.pages.notices import PageNotice
from bot.web.pages.viewers import SignInNeeded, Viewer, viewer_or_none
from bot.web.problems import Problem
from bot.web.state import application_of, shared_of
from engine.errors import EngineError

Handler = Callable[[Request], Coroutine[Any, Any, Response]]

_NOT_THERE: Final = Problem(
    status=404, code="not_found", detail="There is nothing at this address."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How a page is shown: to whom, as which status, under which heading of the navigation."""

    viewer: Viewer | None = None
    status: int = 200
    here: str = ""
    notice: PageNotice | None = None


def show(request: Request, template: str, look: Look, /, **context: object) -> HTMLResponse:
    """The page, with the notice that was left for it, which is then gone."""
    application, viewer = application_of(request), look.viewer
    waiting = notices.left(request)
    page = shared_of(request).pages.get_template(template)
    text = page.render(
        viewer=None if viewer is None else _shown(viewer),
        csrf="" if viewer is None else viewer.csrf,
        here=look.here,
        notice=look.notice or waiting,
        **context,
    )
    response = HTMLResponse(text, status_code=look.status)
    if waiting is not None:
        notices.forget(response, application)
    return response


def show_part(request: Request, template: str, viewer: Viewer, /, **context: object) -> Response:
    """A part of a page that renews itself; it leaves notices to whole pages."""
    page = shared_of(request).pages.get_template(template)
    return HTMLResponse(page.render(viewer=_shown(viewer), csrf=viewer.csrf, **context))


def go(request: Request, path: str, notice: PageNotice | None = None) -> Response:
    """Lead to `path`, which must be an address of ours, with a notice."""
    response = RedirectResponse(path, status_code=303)
    if notice is not None:
        notices.leave(response, application_of(request), notice)
    return response


def show_problem(
    request: Request,
    problem: Problem,
    viewer: Viewer | None = None,
    following: Mapping[str, str] | None = None,
) -> Response:
    """A refusal as a page, with a way on."""
    page = show(
        request,
        "web/error.html",
        Look(viewer=viewer, status=problem.status),
        problem=problem.on_a_page(),
        next=following or problem.way_on,
    )
    page.headers.update(problem.headers)
    return page


def _shown(viewer: Viewer) -> Mapping[str, object]:
    house = viewer.visitor.caller.house
    return {"id": viewer.id, "name": viewer.name, "is_operator": viewer.operates, "house": house}


class PageRoute(APIRoute):
    """A route whose refusals are pages, and which leads to the sign-in page whoever has to sign in."""

    @override
    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()

        async def shown(request: Request) -> Response:
            try:
                return await handle(request)
            except SignInNeeded:
                # A part of a page that renews itself must not be replaced by the sign-in page.
                if "hx-request" in request.headers:
                    raise
                return go(request, sign_in_path(request))
            except (EngineError, RequestValidationError) as error:
                if not problems.wants_page(request):
                    raise
                return await _refused(request, error)

        return shown


async def _refused(request: Request, error: EngineError | RequestValidationError) -> Response:
    problem = _problem(request, error)
    if problem.status == HTTPStatus.INTERNAL_SERVER_ERROR:
        raise error
    viewer = await viewer_or_none(request) if is_signed_in(request) else None
    following = None if viewer is None else {"url": "/approvals", "label": "Open the inbox"}
    return show_problem(request, problem, viewer, following)


def _problem(request: Request, error: EngineError | RequestValidationError) -> Problem:
    if isinstance(error, EngineError):
        return problems.of_engine(error, signed_in=is_signed_in(request))
    is_address = any(part["loc"][0] == "path" for part in error.errors())
    return _NOT_THERE if is_address else problems.of_validation(error)
