"""Runs that are to go on with another version of their workflow: one, or all of a version."""

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import JSONResponse

from bot.application import Application
from bot.web.api import shapes
from bot.web.api.paging import Id
from bot.web.api.reasons import Because
from bot.web.callers import Operator, Scoped
from bot.web.description import refusals
from bot.web.reading import StrictRoute
from engine.errors import Conflict
from engine.ids import RunId
from engine.rules.states import RunStatus
from engine.runtime.rehearsal import refusal
from engine.services import adopting
from engine.services.adopting import Adoption
from engine.services.keys import Caller

router = APIRouter(prefix="/api/runs", tags=["runs"], route_class=StrictRoute)

AT_ONCE = 200

Version = Annotated[str, Field(min_length=1, max_length=100, examples=["2"])]


class AdoptBody(Because):
    """Which version the run is to go on with, and why."""

    to: Version


class AdoptAllBody(AdoptBody):
    """Whose runs are to go on with which version, and why."""

    workflow: Annotated[str, Field(max_length=200, examples=["refund"])]
    from_: Annotated[Version, Field(alias="from")]


@router.post(
    "/adopt",
    summary="Change all runs of a version over to another",
    response_model=shapes.AdoptedAll,
    responses=refusals(409, 413, 415),
)
async def adopt_all(caller: Operator, application: Scoped, body: AdoptAllBody) -> JSONResponse:
    """Change over up to 200 runs, the oldest first, each only if the new code accepts its journal.

    Those that were not are told with the reason; ask again until there are no more.
    """
    await application.workflows.follow(body.workflow, application.database)
    application.workflows.pinned(body.workflow, body.to)
    found = await application.database.read(
        lambda tx: adopting.candidates(
            tx, caller.tenant, body.workflow, body.from_, limit=AT_ONCE + 1
        )
    )
    adoption = Adoption(to=body.to, by=caller.subject, reason=body.reason)
    adopted: list[RunId] = []
    refused: list[dict[str, Any]] = []
    for row in found[:AT_ONCE]:
        try:
            await _adopt(application, caller, row.id, adoption)
            adopted.append(row.id)
        except Conflict as error:
            refused.append({"id": row.id, "why": str(error)})
    more = len(found) > AT_ONCE
    return JSONResponse({"adopted": adopted, "refused": refused, "more": more})


@router.post(
    "/{id}/adopt",
    summary="Move a run to another version of its workflow",
    response_model=shapes.Operated,
    responses=refusals(404, 409, 413, 415),
)
async def adopt(caller: Operator, application: Scoped, id: Id, body: AdoptBody) -> JSONResponse:
    """Let a run go on with another version of its workflow, if that accepts what its journal remembers.

    This process must hold the version. One that stopped because its code had changed goes on at once.
    """
    adoption = Adoption(to=body.to, by=caller.subject, reason=body.reason)
    status = await _adopt(application, caller, RunId(id), adoption)
    return JSONResponse({"id": id, "status": status})


async def _adopt(
    application: Application, caller: Caller, run: RunId, adoption: Adoption
) -> RunStatus:
    database, tenant = application.database, caller.tenant
    found = await database.read(lambda tx: adopting.candidate(tx, tenant, run))
    await application.workflows.follow(found.run.workflow, application.database)
    code = application.workflows.pinned(found.run.workflow, adoption.to)
    if found.is_replayed and found.run.ended_at is None:
        clock, ids = application.clock, application.ids
        why_not = await refusal(code, found.run, found.entries, clock, ids)
        if why_not is not None:
            raise Conflict(
                f"Version {adoption.to} does not fit run {run}: {why_not}", code="does_not_fit"
            )
    return await database.write(lambda tx: adopting.adopt(tx, found, adoption))
