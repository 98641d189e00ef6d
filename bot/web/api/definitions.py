"""Workflows that were written as YAML or JSON: added, checked, listed and shown."""

import asyncio
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse

from bot.web.api.changed_shapes import Answer
from bot.web.api.paging import Id
from bot.web.callers import Operator, Reader, Scoped
from bot.web.description import refusals
from bot.web.reading import StrictRoute
from engine.clock import iso
from engine.runtime.definitions.adding import add, checked
from engine.runtime.definitions.schema import json_schema
from engine.services import definitions
from engine.services.definitions import DefinitionRow

router = APIRouter(prefix="/api/definitions", tags=["definitions"], route_class=StrictRoute)


class DefinitionBody(BaseModel):
    """A workflow as it is written, in YAML or JSON."""

    model_config = ConfigDict(extra="forbid")

    source: Annotated[
        str,
        Field(
            min_length=1,
            examples=["name: keep\nsteps:\n  - {name: mark, type: checkpoint}\n"],
        ),
    ]


class Checked(Answer):
    """A definition without a mistake, and which version it would be."""

    name: str
    version: str


class Added(Checked):
    """A definition that is kept; `is_new` is false where it was the newest before already."""

    is_new: bool


class Removed(Answer):
    """A definition that is kept no longer, and how many versions there were."""

    name: str
    versions: int


class Line(Checked):
    """A definition in a list."""

    added_by: str
    added_at: datetime


class Listed(Answer):
    """The newest version of every definition."""

    definitions: list[Line]


class Shown(Line):
    """A definition as it was written."""

    source: str


@router.post(
    "",
    summary="Add a definition",
    status_code=201,
    response_model=Added,
    responses=refusals(409, 413, 415),
)
async def add_one(caller: Operator, application: Scoped, body: DefinitionBody) -> JSONResponse:
    """Keep a workflow, checked whole, as the newest of its name; runs that wait keep their version.

    A refusal names every mistake with its line and column, one in each line of `detail`.
    """
    added = await add(application.database, application.workflows, body.source, by=caller.subject)
    answer = {"name": added.name, "version": added.version, "is_new": added.is_new}
    return JSONResponse(answer, 201, {"Location": f"/api/definitions/{added.name}"})


@router.post(
    "/check",
    summary="Check a definition",
    response_model=Checked,
    responses=refusals(413, 415),
)
async def check(_caller: Reader, application: Scoped, body: DefinitionBody) -> JSONResponse:
    """Say whether a workflow could be added; nothing is kept."""
    await application.workflows.refresh(application.database)
    program = await asyncio.to_thread(checked, application.workflows, body.source)
    return JSONResponse({"name": program.name, "version": program.version})


@router.get("", summary="List definitions", response_model=Listed, responses=refusals())
async def listing(_caller: Reader, application: Scoped) -> JSONResponse:
    """The newest version of every definition, by name."""
    tenant = application.tenant
    rows = await application.database.read(lambda tx: definitions.listing(tx, tenant))
    return JSONResponse({"definitions": [_line(row) for row in rows]})


@router.get("/schema", summary="The JSON Schema of definitions", responses=refusals())
async def schema(_caller: Reader) -> JSONResponse:
    """What may be written, for editors."""
    return JSONResponse(json_schema())


@router.get("/{id}", summary="Show a definition", response_model=Shown, responses=refusals(404))
async def show(
    _caller: Reader,
    application: Scoped,
    id: Id,
    version: Annotated[str | None, Query(max_length=100, description="Not the newest.")] = None,
) -> JSONResponse:
    """A definition by its name, as it was written."""
    tenant = application.tenant
    row = await application.database.read(lambda tx: definitions.find(tx, tenant, id, version))
    return JSONResponse({**_line(row), "source": row.source})


@router.delete(
    "/{id}",
    summary="Remove a definition",
    response_model=Removed,
    responses=refusals(404, 409),
)
async def remove(
    caller: Operator,
    application: Scoped,
    id: Id,
    reason: Annotated[str, Query(min_length=1, max_length=2_000, description="Why; kept.")],
) -> JSONResponse:
    """Keep a workflow no longer, in none of its versions; it is refused while a run goes by it."""
    tenant, by = application.tenant, caller.subject
    versions = await application.database.write(
        lambda tx: definitions.remove(tx, tenant, id, by=by, reason=reason)
    )
    await application.workflows.refresh(application.database)
    return JSONResponse({"name": id, "versions": versions})


def _line(row: DefinitionRow) -> dict[str, Any]:
    return {
        "name": row.name,
        "version": row.version,
        "added_by": row.added_by,
        "added_at": iso(row.added_at),
    }
