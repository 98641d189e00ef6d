"""Rolling a run back, and what that would undo."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import JSONResponse

from bot.web.api import shapes
from bot.web.api.paging import Id
from bot.web.api.reasons import Because
from bot.web.callers import Operator, Reader, Scoped
from bot.web.description import refusals
from bot.web.reading import StrictRoute
from engine.ids import RunId
from engine.services import rolling_back, runs
from engine.services.rolling_back import Order
from engine.store.database import Transaction
from engine.store.points import Point

router = APIRouter(prefix="/api/runs", tags=["runs"], route_class=StrictRoute)

To = Annotated[str, Field(min_length=1, max_length=200, examples=["start"])]


class RollbackBody(Because):
    """Where to go back to, what then, and why.

    `to` is a checkpoint's name or address, `start`, `latest`, `approved` or `failure`; without it, the
    last checkpoint after which an approval was given. `only` names the steps to be undone, and `kinds`
    their kinds (as the plan tells them), where not all are.
    """

    to: To | None = None
    mode: Literal["stop", "resume"] = "stop"
    only: Annotated[list[To], Field(min_length=1, max_length=1_000)] | None = None
    kinds: Annotated[list[To], Field(min_length=1, max_length=100)] | None = None


@router.get(
    "/{id}/rollback",
    summary="See what a rollback would undo",
    response_model=shapes.RollbackPlan,
    responses=refusals(404, 422),
)
async def plan(
    _caller: Reader,
    application: Scoped,
    id: Id,
    to: Annotated[str | None, Query(max_length=200, description="As when rolling back.")] = None,
) -> JSONResponse:
    """What a rollback would undo at this moment, newest first, and what would stay done."""
    found = await application.database.read(
        lambda tx: rolling_back.plan(tx, application.tenant, RunId(id), to=to or None)
    )
    return JSONResponse(found.to_json())


@router.post(
    "/{id}/rollback",
    summary="Roll a run back",
    response_model=shapes.Operated,
    responses=refusals(404, 409, 413, 415),
)
async def roll_back(
    caller: Operator, application: Scoped, id: Id, body: RollbackBody
) -> JSONResponse:
    """Undo what the run did after the target, newest first; then it ends, or with `resume` goes on.

    Its approvals that are open after the target end as cancelled.
    """
    order = Order(
        reason=body.reason,
        to=body.to,
        mode=body.mode,
        by=caller.subject,
        only=None if body.only is None else tuple(body.only),
        kinds=None if body.kinds is None else tuple(body.kinds),
    )
    run = RunId(id)

    def back(tx: Transaction) -> tuple[Point, str]:
        point = rolling_back.begin(tx, caller.tenant, run, order)
        return point, runs.find(tx, caller.tenant, run).status

    point, status = await application.database.write(back)
    return JSONResponse({"id": run, "status": status, "to": point.name, "position": point.position})


@router.post(
    "/{id}/take-over",
    summary="Say that a stuck undo was done by hand",
    response_model=shapes.Operated,
    responses=refusals(404, 409, 413, 415),
)
async def take_over(caller: Operator, application: Scoped, id: Id, body: Because) -> JSONResponse:
    """Say that the stuck compensation was done by hand, and go on undoing the others."""
    run = RunId(id)

    def taken(tx: Transaction) -> tuple[str, str]:
        step = rolling_back.take_over(tx, caller.tenant, run, by=caller.subject, reason=body.reason)
        return step, runs.find(tx, caller.tenant, run).status

    step, status = await application.database.write(taken)
    return JSONResponse({"id": run, "status": status, "taken_over": step})
