"""The web application: every door, and what all of them share."""

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import Response
from starlette.types import Scope
from typing_extensions import override

from bot.application import VERSION, Application
from bot.web import problems
from bot.web.api.routers import ROUTERS as DOORS
from bot.web.description import DESCRIPTION, Described
from bot.web.middleware import Capped, Caught, Headed, Logged
from bot.web.pages import ROUTERS as PAGES
from bot.web.pages import nowhere
from bot.web.rendering import STATIC
from bot.web.state import shared
from engine.errors import EngineError


def create_app(application: Application) -> FastAPI:
    """Every door of `application`. Serve it behind nothing: caps, headers and refusals are in it."""
    common = shared(application)
    app = Described(
        title="Signoff",
        version=VERSION,
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        middleware=[
            Middleware(Logged, application=application, traffic=common.traffic),
            Middleware(Headed, is_secure=application.is_secure),
            Middleware(Caught),
            Middleware(Capped),
        ],
        exception_handlers={
            EngineError: problems.on_engine_error,
            RequestValidationError: problems.on_validation_error,
            HTTPException: nowhere.on_http_error,
        },
    )
    app.state.application, app.state.shared = application, common
    # As they were made: to include a router makes each of its routes anew, at the first call of every application.
    app.router.routes.extend(route for router in (*DOORS, *PAGES) for route in router.routes)
    app.mount("/static", _Static(directory=STATIC), name="static")
    return app


class _Static(StaticFiles):
    """Files that are ours; an address with a version in it changes with the file."""

    @override
    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        is_versioned = scope["query_string"].startswith(b"v=")
        kept = "public, max-age=31536000, immutable" if is_versioned else "no-cache"
        response.headers["Cache-Control"] = kept
        return response
