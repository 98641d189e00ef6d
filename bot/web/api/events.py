"""What changes, told as it happens: server-sent events of runs and approvals."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, Query, Request

from bot.web.callers import Reader, Scoped, is_still_known
from bot.web.description import Responses, refusals
from bot.web.event_stream import MEDIA_TYPE, EventStream, Listener
from bot.web.reading import StrictRoute
from bot.web.state import shared_of
from bot.web.streams import Asked
from engine.services import watching
from engine.services.keys import Scope

router = APIRouter(tags=["watching"], route_class=StrictRoute)

Named = Annotated[str | None, Query(pattern=r"^[A-Za-z0-9_-]{1,100}$")]

_MESSAGE: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["type", "timestamp", "data"],
    "properties": {
        "type": {"type": "string", "examples": ["approval.updated"]},
        "timestamp": {"type": "string", "format": "date-time"},
        "data": {
            "type": "object",
            "required": ["run", "position", "approval"],
            "properties": {
                "run": {"type": "string"},
                "position": {"type": "integer"},
                "approval": {"anyOf": [{"type": "string"}, {"type": "null"}]},
            },
        },
    },
}
_STREAM: Final[Responses] = {
    200: {
        "description": (
            "Messages until either side hangs up. `data` of each is JSON of this shape; `ready`, "
            "`reset` and `dropped` have a `type` and a `detail` alone."
        ),
        "content": {MEDIA_TYPE: {"schema": _MESSAGE}},
    }
}


@router.get(
    "/api/events",
    summary="Hear of changes as they happen",
    response_class=EventStream,
    status_code=200,
    responses={**_STREAM, **refusals(404)},
)
async def events(
    request: Request,
    caller: Reader,
    application: Scoped,
    run: Named = None,
    approval: Named = None,
    last_event_id: Annotated[str | None, Header(max_length=200)] = None,
) -> EventStream:
    """Server-sent events of your tenant, of one `run` with all that is inside it, or of one `approval`.

    Say the last `id` you had in `Last-Event-ID` to go on behind it. Of one run or approval you then
    hear everything, each once and in order. Of a tenant you hear everything of the last hour at least
    once; where that cannot be done, `reset` tells you to read again what you show.
    """
    streams = shared_of(request).streams
    name = f"{caller.tenant}/{caller.subject}"
    streams.check(name)
    watched = await application.database.read(
        lambda tx: watching.run_to_watch(tx, caller.tenant, run=run, approval=approval)
    )
    last = None if last_event_id is None else watching.place_of(last_event_id)
    asked = Asked(
        tenant=caller.tenant,
        caller=name,
        run=watched,
        approval=approval,
        last=last,
        is_unclear=last_event_id is not None and last is None,
    )

    async def tell(listener: Listener) -> None:
        await streams.tell(asked, listener, lambda: is_still_known(request, Scope.READ))

    return EventStream(tell)
