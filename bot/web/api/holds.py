"""Legal holds, for operators: what must be neither erased nor pruned."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import JSONResponse

from bot.web.api.changed_shapes import Answer
from bot.web.api.reasons import Because
from bot.web.callers import Operator, Scoped
from bot.web.description import refusals
from bot.web.reading import StrictRoute
from engine.services import legal_holds

router = APIRouter(prefix="/api/holds", tags=["people"], route_class=StrictRoute)


class HoldBody(Because):
    """What is to be held, and why."""

    scope: Annotated[
        str,
        Field(max_length=300, description="tenant, run:ID or person:ID.", examples=["person:ana"]),
    ]


class Hold(Answer):
    """A legal hold."""

    scope: str
    reason: str
    placed_by: str
    placed_at: datetime


class Holds(Answer):
    """Every hold of the tenant."""

    holds: list[Hold]


class Released(Answer):
    """What is not held any more."""

    scope: str


@router.get("", summary="List legal holds", response_model=Holds, responses=refusals())
async def listing(caller: Operator, application: Scoped) -> JSONResponse:
    """What must be neither erased nor pruned, and why."""
    found = await application.database.read(lambda tx: legal_holds.listing(tx, caller.tenant))
    return JSONResponse({"holds": [each.to_json() for each in found]})


@router.post(
    "",
    summary="Place a legal hold",
    status_code=201,
    response_model=Hold,
    responses=refusals(404, 413, 415),
)
async def place(caller: Operator, application: Scoped, body: HoldBody) -> JSONResponse:
    """Keep everything, one run, or one person as they are until the hold is released.

    One that is there already stays, with its reason.
    """
    hold = await application.database.write(
        lambda tx: legal_holds.place(
            tx, caller.tenant, body.scope, by=caller.subject, reason=body.reason
        )
    )
    return JSONResponse(hold.to_json(), 201)


@router.post(
    "/release",
    summary="Release a legal hold",
    response_model=Released,
    responses=refusals(404, 413, 415),
)
async def release(caller: Operator, application: Scoped, body: HoldBody) -> JSONResponse:
    """Let what was held be erased and pruned again."""
    await application.database.write(
        lambda tx: legal_holds.release(
            tx, caller.tenant, body.scope, by=caller.subject, reason=body.reason
        )
    )
    return JSONResponse({"scope": body.scope})
