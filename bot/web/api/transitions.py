"""What became of a run's state, change by change: from what to what, why, and by whom."""

from datetime import datetime

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import JSONResponse

from bot.web.api.changed_shapes import Answer
from bot.web.api.paging import Id
from bot.web.callers import Reader, Scoped
from bot.web.description import refusals
from bot.web.reading import StrictRoute
from engine.ids import RunId
from engine.services import runs

router = APIRouter(prefix="/api/runs", tags=["runs"], route_class=StrictRoute)


class State(Answer):
    """Where a run stands, and what it needs before it goes on."""

    status: str
    reason: str | None


class Change(Answer):
    """One change of a run's state, and the journal's entry that caused it."""

    position: int
    at: datetime
    kind: str
    name: str | None
    says: str = Field(description="The change in one sentence.")
    before: State | None = Field(description="None where the run did not exist.")
    after: State
    by: list[str] = Field(description="Whoever did it; nobody where the run itself did, or time.")
    reason: str | None = Field(description="Why, in their words.")
    approval: str | None
    checkpoint: str | None = Field(description="The newest one before it, with all of its state.")


class Changes(Answer):
    """Every change of a run's state, oldest first."""

    changes: list[Change]


@router.get(
    "/{id}/changes",
    summary="Read how a run's state changed",
    response_model=Changes,
    responses=refusals(404),
)
async def changes(_caller: Reader, application: Scoped, id: Id) -> JSONResponse:
    """Every change of the run's state: what it was before and after, why, and by whom."""
    found = await application.database.read(
        lambda tx: runs.changes(tx, application.tenant, RunId(id))
    )
    return JSONResponse({"changes": [each.to_json() for each in found]})
