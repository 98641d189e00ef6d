"""Backups of the file, made by the process that owns it, for whoever is at its own machine."""

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse

from bot.web.api.changed_shapes import Answer
from bot.web.callers import CurrentVisitor, Visitor
from bot.web.description import refusals
from bot.web.reading import StrictRoute
from bot.web.state import Served
from engine.clock import iso
from engine.errors import Invalid, NotAllowed, Refused
from engine.store.backups import BackedUp, back_up
from engine.store.sqlite import SqliteDatabase

router = APIRouter(prefix="/api/backups", tags=["backups"], route_class=StrictRoute)


class BackupBody(BaseModel):
    """Where the copy goes: a path on the server's machine, from its root."""

    model_config = ConfigDict(extra="forbid")

    to: Annotated[str, Field(max_length=4_000, examples=["/var/backups/signoff.db"])]


class Backup(Answer):
    """A copy that is whole and was checked."""

    path: str
    size: int
    taken_at: datetime
    seconds: float


@router.post(
    "",
    summary="Back up the file",
    status_code=201,
    response_model=Backup,
    responses=refusals(403, 409, 413, 415),
)
async def make(visitor: CurrentVisitor, application: Served, body: BackupBody) -> JSONResponse:
    """Copy the SQLite file while the server works; what is there already is never overwritten.

    Only over the owner's socket, as `signoff backup` does: a key cannot make files on this machine.
    """
    _demand_local(visitor)
    database, to = application.database, Path(body.to)
    if not isinstance(database, SqliteDatabase):
        raise Refused("Only a SQLite file is copied here; use pg_dump.", code="not_a_file")
    if not to.is_absolute() or "\0" in body.to:
        raise Invalid("Name the copy by its whole path.", code="cannot_write")
    began = application.clock.now()
    done = await asyncio.to_thread(back_up, database.path, to, at=began)
    seconds = (application.clock.now() - began).total_seconds()
    return JSONResponse(shown(done, seconds), 201)


def shown(done: BackedUp, seconds: float) -> dict[str, object]:
    """A backup as it is answered."""
    return {
        "path": str(done.path),
        "size": done.size,
        "taken_at": iso(done.taken_at),
        "seconds": seconds,
    }


def _demand_local(visitor: Visitor) -> None:
    if visitor.via != "local":
        raise NotAllowed(
            "Only whoever is at the server's machine makes backups: signoff backup.",
            code="only_here",
        )
