"""Checkpoints: listed, compared, and carried from one installation to another."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse

from bot.web.api import shapes
from bot.web.api.paging import Id
from bot.web.callers import Operator, Reader, Scoped
from bot.web.description import refusals
from bot.web.reading import StrictRoute
from engine.ids import RunId
from engine.services import checkpoints

router = APIRouter(prefix="/api", tags=["runs"], route_class=StrictRoute)

Name = Annotated[
    str, Query(max_length=200, description="A checkpoint's name, or its position in the journal.")
]


class ImportBody(BaseModel):
    """A snapshot as it was exported, and the address that it had there."""

    model_config = ConfigDict(extra="forbid")

    snapshot: dict[str, Any]
    address: Annotated[
        str | None, Field(pattern=r"^(artifact:)?sha256:[0-9a-f]{64}$", examples=["sha256:…"])
    ] = None


@router.get(
    "/runs/{id}/checkpoints",
    summary="List a run's checkpoints",
    response_model=shapes.Checkpoints,
    responses=refusals(404),
)
async def listing(_caller: Reader, application: Scoped, id: Id) -> JSONResponse:
    """The run's checkpoints, oldest first; the bytes of each are an artifact.

    `is_live` says whether the run can go back there: not once it went back to before it and on again.
    """
    found = await application.database.read(
        lambda tx: checkpoints.listed(tx, application.tenant, RunId(id))
    )
    return JSONResponse({"checkpoints": found})


@router.get(
    "/runs/{id}/checkpoints/diff",
    summary="Compare two checkpoints of a run",
    response_model=shapes.Difference,
    responses=refusals(404, 422),
)
async def diff(
    _caller: Reader,
    application: Scoped,
    id: Id,
    before: Annotated[Name, Query(alias="from")],
    after: Annotated[Name, Query(alias="to")],
) -> JSONResponse:
    """What was added, removed and changed from one checkpoint to the other, by JSON pointers."""
    found = await application.database.read(
        lambda tx: checkpoints.compare(tx, application.tenant, RunId(id), before, after)
    )
    return JSONResponse(found.to_json())


@router.get(
    "/runs/{id}/checkpoints/snapshot",
    summary="Export a checkpoint",
    response_model=dict[str, Any],
    responses=refusals(404, 422),
)
async def snapshot(_caller: Reader, application: Scoped, id: Id, name: Name) -> JSONResponse:
    """What a checkpoint keeps: five parts, and three layers for people; proved against its address."""
    found = await application.database.read(
        lambda tx: checkpoints.snapshot_of(tx, application.tenant, RunId(id), name)
    )
    return JSONResponse(dict(found))


@router.post(
    "/artifacts",
    summary="Import a checkpoint",
    status_code=201,
    response_model=shapes.Kept,
    responses=refusals(413, 415, 422),
)
async def keep(caller: Operator, application: Scoped, body: ImportBody) -> JSONResponse:
    """Keep a snapshot that was exported elsewhere, under the address that it had there."""
    address = await application.database.write(
        lambda tx: checkpoints.import_snapshot(
            tx, caller.tenant, body.snapshot, address=body.address
        )
    )
    return JSONResponse({"address": address}, 201, {"Location": f"/api/artifacts/{address}"})
