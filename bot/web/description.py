"""The OpenAPI description: what the routes say of themselves, and one shape for every refusal."""

from collections.abc import Mapping
from typing import Any, Final

from fastapi import FastAPI
from typing_extensions import override

from bot.web.problems import MEDIA_TYPE
from bot.web.reading import StrictRoute

Responses = dict[int | str, dict[str, Any]]

DESCRIPTION: Final = (
    "Start runs, ask for approvals, vote, and watch. Send an API key (`signoff keys create`) or the "
    "session of `signoff login` as a bearer token; it belongs to one tenant, which the header "
    "`Signoff-Tenant` may repeat and never contradict. A key can ask and never votes; people vote. "
    "Refusals are `application/problem+json` with a stable `code`. Lists give `next`, the `cursor` "
    "of the page that follows, or null."
)
SAYS: Final[Mapping[int, str]] = {
    400: "Several tenants could be meant, or two are named: send one Signoff-Tenant header.",
    401: "Nobody is signed in, or what was presented opens nothing.",
    403: "The rules say no; the same call can never succeed.",
    404: "There is no such thing here.",
    409: "Somebody was faster, or it has moved on: reload and decide again.",
    413: "The body holds more than 1 MiB.",
    415: "The body is not `application/json`.",
    422: "What was sent cannot be understood or satisfied; mend it and send it again.",
    429: "Too many tries from one address; wait for `Retry-After` seconds.",
    503: "Not now; nothing was lost, and the same call may succeed later.",
}
PROBLEM: Final[Mapping[str, Any]] = {
    "type": "object",
    "title": "Problem",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string", "examples": ["/problems/already_decided"]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "A sentence that says what to do next."},
        "code": {"type": "string", "description": "Stable; the sentence may change."},
    },
}


def refusals(*statuses: int) -> Responses:
    """The refusals of a route besides those that every route for known callers has."""
    return {status: {"description": SAYS[status]} for status in sorted({*_OF_ALL, *statuses})}


def public_refusals(*statuses: int) -> Responses:
    """The refusals of a route that strangers may call."""
    return {status: {"description": SAYS[status]} for status in sorted({422, 503, *statuses})}


_OF_ALL: Final = (400, 401, 403, 422, 429, 503)


class Described(FastAPI):
    """An application in whose description every refusal has the shape it really has."""

    @override
    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            for route in self.routes:
                if isinstance(route, StrictRoute):
                    route.describe()
            self.openapi_schema = _with_problems(super().openapi())
        return self.openapi_schema


def _with_problems(schema: dict[str, Any]) -> dict[str, Any]:
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for operations in schema["paths"].values():
        for operation in operations.values():
            for status, response in operation["responses"].items():
                if int(status) >= 400 and not response.get("content", {}).keys() - {_JSON}:
                    response["content"] = content
    schemas = schema.setdefault("components", {}).setdefault("schemas", {})
    schemas["Problem"] = dict(PROBLEM)
    for generated in ("HTTPValidationError", "ValidationError"):
        schemas.pop(generated, None)
    return schema


_JSON: Final = "application/json"
