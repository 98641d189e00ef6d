"""Every refusal in one shape: problem+json for programs, a page for people."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Final

import structlog
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Match

from bot.web.callers import is_signed_in
from bot.web.rates import TooManyStreams, TooManyTries
from bot.web.reading import unreadable
from bot.web.state import shared_of
from engine.errors import (
    Conflict,
    EngineError,
    Invalid,
    NotAllowed,
    NotFound,
    Refused,
    SignatureInvalid,
    TenantUnclear,
    Unavailable,
)

MEDIA_TYPE: Final = "application/problem+json"
RETRY_AFTER_S: Final = 2

_log = structlog.stdlib.get_logger("http")

_TITLES: Final[Mapping[int, str]] = {
    400: "Not understood",
    401: "Sign in first",
    403: "Not allowed",
    404: "Not found",
    405: "Not done here",
    409: "Things have moved on",
    413: "Too large",
    415: "Another content type is needed",
    422: "Not understood",
    429: "Too many tries",
    503: "Not now",
}
_CODES: Final[Mapping[int, str]] = {
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "unsupported_media_type",
}
_DETAILS: Final[Mapping[int, str]] = {
    404: "There is nothing at this address.",
    405: "This address does not take that method.",
    413: "A request holds at most 1 MiB.",
}
# What people can do next, where the sentence itself is about what went wrong.
_HINTS: Final[Mapping[int, str]] = {
    403: "If you need it, ask whoever runs this Signoff.",
    404: "Look whether the address is whole: messages cut long ones.",
    405: "Open the page again and use what it offers.",
    409: "Nothing was changed. Open it again to see how it stands now.",
    413: "Nothing was changed. Go back and send less.",
    422: "Nothing was changed. Go back: what you wrote is still there to be mended.",
    429: "Nothing is lost. Wait a little, then load this page again.",
    500: "Try once more. If it happens again, tell whoever runs this Signoff that number.",
    503: "Nothing is lost. Load this page again in a moment.",
}
_START: Final[Mapping[str, str]] = {"url": "/", "label": "Go to the start page"}
_SIGN_IN: Final[Mapping[str, str]] = {"url": "/sign-in", "label": "Sign in"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One refusal. `code` is stable; `detail` is a sentence that says what to do next."""

    status: int
    code: str
    detail: str
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def title(self) -> str:
        return _TITLES.get(self.status, "Something broke")

    def on_a_page(self) -> dict[str, object]:
        """The refusal with what people can do next."""
        return {**self.to_json(), "hint": _HINTS.get(self.status, "")}

    @property
    def way_on(self) -> Mapping[str, str]:
        """Where whoever is not signed in can go from here."""
        return _SIGN_IN if self.status == HTTPStatus.UNAUTHORIZED else _START

    def to_json(self) -> dict[str, object]:
        """The refusal as RFC 9457 spells it, with our code."""
        return {
            "type": f"/problems/{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
        }


def of_engine(error: EngineError, *, signed_in: bool) -> Problem:
    """What `error` is over HTTP."""
    status, headers = _status(error, signed_in=signed_in)
    return Problem(status=status, code=error.code, detail=str(error), headers=headers)


def of_validation(error: RequestValidationError) -> Problem:
    """The first thing that is wrong with a request, and where; what was sent is not repeated."""
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return Problem(status=422, code="invalid_request", detail=f"{where}: {first['msg']}.")


def of_http(error: HTTPException) -> Problem:
    """What the framework itself refuses: no such address, no such method, too large."""
    phrase = HTTPStatus(error.status_code).phrase
    return Problem(
        status=error.status_code,
        code=_CODES.get(error.status_code, phrase.lower().replace(" ", "_")),
        detail=_DETAILS.get(error.status_code, f"{phrase}."),
        headers=dict(error.headers or {}),
    )


def of_nobody_knows(request_id: str) -> Problem:
    """An error that nobody foresaw; only its id is told, the rest is in the log."""
    detail = f"Nothing more can be said here; the log has it as {request_id}."
    return Problem(status=500, code="unexpected", detail=detail)


def answer(request: HTTPConnection, problem: Problem) -> Response:
    """The refusal in the form that whoever asked can read."""
    if wants_page(request):
        page = shared_of(request).pages.get_template("web/error.html")
        text = page.render(problem=problem.on_a_page(), next=problem.way_on)
        return HTMLResponse(text, status_code=problem.status, headers=problem.headers)
    return JSONResponse(
        problem.to_json(),
        status_code=problem.status,
        headers=problem.headers,
        media_type=MEDIA_TYPE,
    )


def wants_page(request: HTTPConnection) -> bool:
    """Whether a browser asks for one of the addresses that people open."""
    is_page = not request.scope["path"].startswith("/api/")
    return is_page and "text/html" in request.headers.get("accept", "")


async def on_engine_error(request: Request, error: Exception) -> Response:
    """Answer a deliberate error; one that a person must look at is logged too."""
    known = error if isinstance(error, EngineError) else EngineError(str(error))
    problem = of_engine(known, signed_in=is_signed_in(request))
    if problem.status == HTTPStatus.INTERNAL_SERVER_ERROR:
        _log.error("http.faulted", code=problem.code, exc_info=error)
    return answer(request, problem)


async def on_validation_error(request: Request, error: Exception) -> Response:
    """Answer what does not fit a route's shape; a body that could not be read says so itself."""
    if (unread := unreadable(request)) is not None:
        return answer(request, unread_problem(unread))
    if isinstance(error, RequestValidationError):
        return answer(request, of_validation(error))
    return answer(request, Problem(status=422, code="invalid_request", detail=str(error)))


def of_framework(request: Request, error: Exception) -> Problem:
    """What the framework refuses, with every method that the address does take."""
    known = error if isinstance(error, HTTPException) else HTTPException(500)
    problem = of_http(known)
    if problem.status == HTTPStatus.METHOD_NOT_ALLOWED:
        return replace(problem, headers={"Allow": _allowed(request)})
    return problem


def _allowed(request: Request) -> str:
    # Several routes may share a path; the framework names the methods of the first alone. A path that
    # is spelled out is meant before one with a name in its place: `/api/runs/adopt` is no run.
    fitting = [
        context
        for context in iter_route_contexts(request.app.routes)
        if context.original_route.matches(request.scope)[0] is not Match.NONE
    ]
    spelled = [context for context in fitting if context.path == request.url.path]
    methods = {method for context in spelled or fitting for method in context.methods or ()}
    return ", ".join(sorted(methods))


def unread_problem(error: EngineError) -> Problem:
    """A body of another content type, or one that is no strict JSON."""
    status = 415 if error.code == _CODES[415] else 422
    return Problem(status=status, code=error.code, detail=str(error))


def _status(error: EngineError, *, signed_in: bool) -> tuple[int, dict[str, str]]:
    match error:
        case NotFound():
            return 404, {}
        case NotAllowed() if not signed_in:
            return 401, {"WWW-Authenticate": "Bearer"}
        case SignatureInvalid():
            return 401, {"WWW-Authenticate": "Bearer"}
        case Refused():
            return 403, {}
        case TenantUnclear():
            return 400, {}
        case Invalid():
            return 422, {}
        case Conflict():
            return 409, {}
        case TooManyTries() | TooManyStreams():
            return 429, {"Retry-After": str(error.retry_after_s)}
        case Unavailable():
            return 503, {"Retry-After": str(RETRY_AFTER_S)}
        case _:
            return 500, {}
