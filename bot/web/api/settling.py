"""Effects that may or may not have happened: an operator says how each ended."""

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import JSONResponse

from bot.web.api import shapes
from bot.web.api.paging import Id
from bot.web.api.reasons import Because
from bot.web.callers import Operator, Scoped
from bot.web.description import refusals
from bot.web.reading import StrictRoute
from engine.ids import RunId
from engine.services import effects
from engine.services.effects import Outcome, Settlement

router = APIRouter(prefix="/api/runs", tags=["runs"], route_class=StrictRoute)


class SettleBody(Because):
    """Whether the effect happened, what the step returns if it did, and how you know."""

    outcome: Annotated[Outcome, Field(examples=["happened"])]
    result: Annotated[Any, Field(examples=[{"charge": "ch_17"}])] = None
    request_id: Annotated[
        str | None,
        Field(max_length=500, description="Which one, where branches left several in doubt."),
    ] = None


@router.post(
    "/{id}/settle",
    summary="Say how an unknown effect ended",
    response_model=shapes.Operated,
    responses=refusals(404, 409, 413, 415),
)
async def settle(caller: Operator, application: Scoped, id: Id, body: SettleBody) -> JSONResponse:
    """Let a run go on that does not know whether an irreversible step of it happened.

    A step that happened is not made again and returns `result`; one that did not is made again.
    """
    run = RunId(id)
    settlement = Settlement(
        outcome=body.outcome,
        result=body.result,
        by=caller.subject,
        reason=body.reason,
        request_id=body.request_id,
    )
    status = await application.database.write(
        lambda tx: effects.settle(tx, caller.tenant, run, settlement)
    )
    return JSONResponse({"id": run, "status": status})
