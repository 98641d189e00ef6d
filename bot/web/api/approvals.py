"""Approvals: read, waited for, and changed by whoever asked."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Final, Self

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field, model_validator
from starlette.responses import JSONResponse

from bot.application import Application
from bot.web.api import shapes
from bot.web.api.asking import Approvers, Details, Quorum, RejectQuorum
from bot.web.api.paging import Cursor, Id, Limit, cut
from bot.web.api.reasons import Because, More
from bot.web.callers import CurrentCaller, Reader, Scoped
from bot.web.description import refusals
from bot.web.reading import StrictRoute
from bot.web.state import shared_of
from engine.errors import Invalid
from engine.ids import PersonId
from engine.rules.states import ApprovalStatus
from engine.services import approvals, changing
from engine.services.approvals import Wanted
from engine.services.changing import Edit
from engine.services.keys import Caller
from engine.store.database import Transaction
from engine.store.pictures import ApprovalPicture

router = APIRouter(prefix="/api/approvals", tags=["approvals"], route_class=StrictRoute)

WAIT_MAX_S: Final = 60
POLL: Final = timedelta(seconds=5)  # in case a hint was lost, or nobody listens any more

Text = Annotated[
    str | None, Query(max_length=200, description="In title, action, id or requester.")
]


class EditBody(BaseModel):
    """What to ask instead. What is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")

    title: str | None = None
    details: Details | None = None
    approvers: Approvers = None
    quorum: Quorum = None
    reject_quorum: RejectQuorum = None
    version: Annotated[
        int | None, Field(strict=True, description="The version that was looked at.")
    ] = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set - {"version"}:
            raise ValueError("say what to change")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which approvals a list is of."""

    status: ApprovalStatus | None
    approver: str | None
    text: str | None


async def filtered(
    status: Annotated[ApprovalStatus | None, Query(description="Only those like this.")] = None,
    approver: Annotated[
        str | None,
        Query(max_length=100, description="Open ones that `person:ana`, or `me`, can decide."),
    ] = None,
    q: Text = None,
) -> Filter:
    """What the query asks for."""
    return Filter(status=status, approver=approver, text=q)


@router.get("", summary="List approvals", response_model=shapes.ApprovalPage, responses=refusals())
async def listing(
    caller: Reader,
    application: Scoped,
    asked: Annotated[Filter, Depends(filtered)],
    cursor: Cursor = None,
    limit: Limit = 50,
) -> JSONResponse:
    """Approvals, newest first."""
    decider = _decider(caller, asked)
    wanted = Wanted(status=asked.status, text=asked.text, before=cursor, limit=limit + 1)
    found = await application.database.read(
        lambda tx: approvals.page(tx, application.tenant, wanted, answerable_by=decider)
    )
    page, last = cut(found, limit)
    following = None if last is None else last.id
    return JSONResponse({"approvals": [each.to_json() for each in page], "next": following})


@router.get(
    "/{id}",
    summary="Read an approval, or wait for its end",
    response_model=shapes.Approval,
    responses=refusals(404),
)
async def one(
    request: Request,
    caller: Reader,
    application: Scoped,
    id: Id,
    wait: Annotated[
        int, Query(ge=0, le=WAIT_MAX_S, description="Seconds to wait for its end.")
    ] = 0,
) -> JSONResponse:
    """One approval. With `wait`, the answer comes once it has ended, or after so many seconds.

    Where too many wait already, it comes at once: ask again a little later.
    """
    picture = await _read(application, id)
    if wait and picture.status is ApprovalStatus.OPEN:
        with shared_of(request).waiting.place(f"{caller.tenant}/{caller.subject}") as is_free:
            if is_free:
                picture = await _ended(request, application, id, timedelta(seconds=wait))
    return JSONResponse(picture.to_json())


@router.patch(
    "/{id}",
    summary="Ask something else: the next version",
    response_model=shapes.Approval,
    responses=refusals(404, 409, 413, 415),
)
async def edit(caller: CurrentCaller, application: Scoped, id: Id, body: EditBody) -> JSONResponse:
    """Ask something else: the next version, on which everybody votes anew.

    For whoever asked, and for operators, who alone edit what a workflow asks. The deadline stays.
    """
    wanted = Edit(
        title=body.title,
        details=body.details,
        approvers=body.approvers,
        quorum=body.quorum,
        reject_quorum=body.reject_quorum,
    )
    return await _changed(
        application, lambda tx: changing.edit(tx, caller, id, wanted, seen=body.version)
    )


@router.post(
    "/{id}/extend",
    summary="Give people more time",
    response_model=shapes.Approval,
    responses=refusals(404, 409, 413, 415),
)
async def extend(caller: CurrentCaller, application: Scoped, id: Id, body: More) -> JSONResponse:
    """Give people more time: every rung that has not fired comes later.

    For those who may vote on it, and for operators. The votes stay.
    """
    return await _changed(
        application,
        lambda tx: changing.extend(tx, caller, id, by=body.by, reason=body.reason),
    )


@router.post(
    "/{id}/cancel",
    summary="Take a request back",
    response_model=shapes.Approval,
    responses=refusals(404, 409, 413, 415),
)
async def cancel(caller: CurrentCaller, application: Scoped, id: Id, body: Because) -> JSONResponse:
    """Take the request back. For whoever asked, and for operators."""
    return await _changed(
        application, lambda tx: changing.cancel(tx, caller, id, reason=body.reason)
    )


async def _changed(
    application: Application, deed: Callable[[Transaction], ApprovalPicture]
) -> JSONResponse:
    picture = await application.database.write(deed)
    return JSONResponse(picture.to_json())


async def _read(application: Application, id: str) -> ApprovalPicture:
    return await application.database.read(lambda tx: approvals.picture(tx, application.tenant, id))


async def _ended(
    request: Request, application: Application, id: str, wait: timedelta
) -> ApprovalPicture:
    loop = asyncio.get_running_loop()
    until = loop.time() + wait.total_seconds()
    with application.database.hints.listen(f"approval:{id}") as ear:
        while True:
            picture = await _read(application, id)  # after `listen`, so that no end is missed
            rest = timedelta(seconds=until - loop.time())
            is_over = picture.status is not ApprovalStatus.OPEN
            if is_over or rest <= timedelta(0) or await request.is_disconnected():
                return picture
            await ear.wait(min(rest, POLL))


def _decider(caller: Caller, asked: Filter) -> PersonId | None:
    if asked.approver is None:
        return None
    if asked.status not in {None, ApprovalStatus.OPEN}:
        raise Invalid("approver= finds open approvals; leave status= out.", code="bad_filter")
    if asked.approver == "me":
        if caller.person is None:
            raise Invalid("Only people are me; name one, as in person:ana.", code="bad_filter")
        return caller.person
    kind, _, name = asked.approver.partition(":")
    if kind != "person" or not name:
        raise Invalid("Name one person, as in approver=person:ana, or me.", code="bad_filter")
    return PersonId(name)
