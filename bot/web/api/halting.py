"""Stopping things: kill switches, and single runs that are paused or killed."""

from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import JSONResponse

from bot.web.api import operating, shapes
from bot.web.api.paging import Id
from bot.web.api.reasons import Because
from bot.web.callers import Operator, Reader, Scoped
from bot.web.description import refusals
from bot.web.reading import StrictRoute
from engine.ids import RunId
from engine.rules.states import RunStatus
from engine.rules.switches import SCOPE_CHARS_MAX
from engine.services import halting
from engine.store.database import Transaction

router = APIRouter(prefix="/api", tags=["runs"], route_class=StrictRoute)


class SwitchBody(Because):
    """What is to be done with which switch."""

    action: Literal["engage", "release"]
    scope: Annotated[
        str,
        Field(
            max_length=SCOPE_CHARS_MAX,
            description="everything, tenant, workflow:NAME, agent:KEY or run:ID.",
            examples=["workflow:refund"],
        ),
    ]


@router.get(
    "/kill-switch",
    summary="See which kill switches are engaged",
    response_model=operating.SwitchStatus,
    responses=refusals(),
)
async def status(_caller: Reader, application: Scoped) -> JSONResponse:
    """The tenant's switches that are engaged; `halted` when one stands above all of its runs."""
    found = await application.database.read(lambda tx: halting.status(tx, application.tenant))
    return JSONResponse(found.to_json())


@router.post(
    "/kill-switch",
    summary="Engage or release a kill switch",
    response_model=operating.SwitchChange,
    responses=refusals(404, 409, 413, 415),
)
async def change(caller: Operator, application: Scoped, body: SwitchBody) -> JSONResponse:
    """From the answer on no step below an engaged switch begins; released, what waited goes on.

    Releasing `everything` takes two people, each with a session of their own: after the first the
    answer still says `engaged`, with who asked. Where there are no two operators, `warning` says at
    once that nobody can release it.
    """

    def changed(tx: Transaction) -> tuple[halting.Switch | None, str | None]:
        turn = halting.engage if body.action == "engage" else halting.release
        switch = turn(tx, caller, body.scope, reason=body.reason)
        return switch, halting.warning(tx, switch)

    switch, warning = await application.database.write(changed)
    shown = None if switch is None else switch.to_json()
    engaged = switch is not None
    return JSONResponse(
        {"scope": body.scope, "engaged": engaged, "switch": shown, "warning": warning}
    )


@router.post(
    "/runs/{id}/pause",
    summary="Hold a run",
    response_model=shapes.Operated,
    responses=refusals(404, 409, 413, 415),
)
async def pause(caller: Operator, application: Scoped, id: Id, body: Because) -> JSONResponse:
    """Hold the run where it is until it is resumed. A step that is under way comes to its end."""
    run = RunId(id)
    await application.database.write(
        lambda tx: halting.pause(tx, caller.tenant, run, by=caller.subject, reason=body.reason)
    )
    return JSONResponse({"id": run, "status": RunStatus.PAUSED})


@router.post(
    "/runs/{id}/kill",
    summary="End a run at once",
    response_model=shapes.Operated,
    responses=refusals(404, 409, 413, 415),
)
async def kill(caller: Operator, application: Scoped, id: Id, body: Because) -> JSONResponse:
    """End the run for good. Nothing is undone; `stays` names the steps that stay done."""
    run = RunId(id)
    stays = await application.database.write(
        lambda tx: halting.kill(tx, caller.tenant, run, by=caller.subject, reason=body.reason)
    )
    return JSONResponse({"id": run, "status": RunStatus.KILLED, "stays": list(stays)})
