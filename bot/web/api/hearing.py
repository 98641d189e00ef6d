"""What other systems send: a webhook's answer, and Slack's events."""

from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from bot.web.api import shapes
from bot.web.api.paging import Id
from bot.web.api.votes import shown
from bot.web.description import SAYS, Responses
from bot.web.reading import StrictRoute
from bot.web.state import Served, note_bad_try
from channels.webhook import inbound
from engine.errors import NotFound, SignatureInvalid
from engine.ids import ApprovalId
from engine.rules.tally import Choice

router = APIRouter(tags=["webhooks"], route_class=StrictRoute)

_REFUSALS: Final[Responses] = {
    status: {"description": SAYS[status]} for status in (401, 403, 404, 409, 413, 422, 429, 503)
}
_SHAPE: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["choice", "digest"],
    "additionalProperties": False,
    "properties": {
        "choice": {"type": "string", "enum": [str(choice) for choice in Choice]},
        "digest": {"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"},
        "comment": {"anyOf": [{"type": "string", "maxLength": 10_000}, {"type": "null"}]},
    },
}
_BODY: Final[dict[str, Any]] = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": _SHAPE}}}
}


@router.post(
    "/callbacks/{approval}",
    summary="Answer by webhook",
    response_model=shapes.Receipt,
    responses=_REFUSALS,
    openapi_extra=_BODY,
)
async def callback(request: Request, application: Served, approval: Id) -> JSONResponse:
    """A configured webhook's answer, counted as the vote of its person.

    Signed with the webhook's secret as Standard Webhooks says, or with the token of the outgoing
    message as a bearer. The same `webhook-id` again changes nothing.
    """
    try:
        receipt = await inbound.answer(
            await request.body(),
            request.headers,
            approval=ApprovalId(approval),
            database=application.database,
            targets=application.webhooks,
            clock=application.clock,
        )
    except SignatureInvalid:
        note_bad_try(request)
        raise
    return JSONResponse(shown(receipt))


@router.post("/slack/events", include_in_schema=False)
async def slack(request: Request, application: Served) -> Response:
    """Slack's events, buttons and commands, where Slack is configured."""
    if application.slack is None:
        raise NotFound("Slack is not set up here.")
    return await application.slack(request)
