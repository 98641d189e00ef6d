"""People, for operators: what is held on one of them, and erasing them."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import JSONResponse

from bot import erasures
from bot.web.api.changed_shapes import Answer
from bot.web.api.paging import Id
from bot.web.api.reasons import Because
from bot.web.callers import Operator, Scoped
from bot.web.description import refusals
from bot.web.reading import StrictRoute
from engine.ids import PersonId
from engine.services import disclosing, erasing

router = APIRouter(prefix="/api/people", tags=["people"], route_class=StrictRoute)


class Erase(Because):
    """Why somebody is erased; say nothing in it of who it was, for it stays."""

    compact: Annotated[
        bool,
        Field(
            description="Write a SQLite file anew, so that nothing deleted is left in it. Writers wait."
        ),
    ] = True


class Erased(Answer):
    """What became of it."""

    person: str
    is_new: bool = Field(description="False if they had been erased before.")
    keys: list[str] = Field(description="The keys that are destroyed.")
    compacted: bool = Field(
        description="False while something may be left in the file's free room."
    )


class HeldData(Answer):
    """A part of what is held on somebody; `next` leads to the following one."""

    rows: list[dict[str, Any]]
    next: str | None


@router.post(
    "/{id}/erase",
    summary="Erase a person",
    response_model=Erased,
    responses=refusals(404, 409, 413, 415),
)
async def erase(caller: Operator, application: Scoped, id: Id, body: Erase) -> JSONResponse:
    """Forget a person for good: name, addresses, identities, and whatever they wrote. Chains stay whole.

    Their id and the choices of their votes stay. Refused while they are asked, while a run in which
    they voted goes on, and below a legal hold. What was sent to others is there as before.
    """
    done = await application.database.write(
        lambda tx: erasing.erase(
            tx, caller.tenant, PersonId(id), by=caller.subject, reason=body.reason
        )
    )
    await erasures.keep_outside(application.database, application.erasures, tenant=caller.tenant)
    compacted = body.compact and await erasures.compact(application.database)
    return JSONResponse(
        {
            "person": done.person,
            "is_new": done.is_new,
            "keys": list(done.keys),
            "compacted": compacted,
        }
    )


@router.get(
    "/{id}/data",
    summary="Read what is held on a person",
    response_model=HeldData,
    responses=refusals(404),
)
async def data(
    caller: Operator,
    application: Scoped,
    id: Id,
    cursor: Annotated[
        str | None, Query(pattern="^[a-z]{1,20}$", description="`next` of the part before.")
    ] = None,
) -> JSONResponse:
    """Everything that is held on one person, part by part, for handing it to them."""
    rows, following = await application.database.read(
        lambda tx: disclosing.page(tx, caller.tenant, PersonId(id), part=cursor)
    )
    return JSONResponse({"rows": rows, "next": following})
