"""Signing in from a terminal: a link by mail, a code to compare, and a session that is a bearer."""

from typing import Annotated, Self

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field, model_validator
from starlette.responses import JSONResponse, Response

from bot.web import sign_in_links
from bot.web.api import operating
from bot.web.callers import CurrentVisitor, named_tenant
from bot.web.description import public_refusals, refusals
from bot.web.places import place_of
from bot.web.reading import StrictRoute
from bot.web.state import Served, shared_of
from engine.clock import iso
from engine.ids import TenantId
from engine.services import sign_ins
from engine.services.sign_ins import Terminal
from engine.store.database import Transaction

router = APIRouter(prefix="/api", tags=["people"], route_class=StrictRoute)

Named = Annotated[str | None, Field(max_length=254)]


class SignInBody(BaseModel):
    """Who wants to sign in: one of the two."""

    model_config = ConfigDict(extra="forbid")

    person: Named = None
    email: Named = None

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if (self.person is None) == (self.email is None):
            raise ValueError("give either person or email")
        return self


class PollBody(BaseModel):
    """The terminal's own secret."""

    model_config = ConfigDict(extra="forbid")

    device: Annotated[str, Field(max_length=200)]


@router.post(
    "/sign-ins",
    summary="Begin to sign in from a terminal",
    status_code=201,
    response_model=operating.SignInAsked,
    responses=public_refusals(413, 415, 429),
)
async def ask(request: Request, application: Served, body: SignInBody) -> JSONResponse:
    """Mail a link to this person. The answer is the same whether or not there is such a person.

    Somebody of several tenants is mailed a link for each, and chooses by opening one; the header
    `Signoff-Tenant` asks for one alone.

    Show `code`, and poll with `device` until the link was opened and confirmed.
    """
    shared_of(request).asked_links.spend(place_of(request, application.trusted_proxies))
    wanted, is_mailed = body.person or body.email or "", "email" in application.channels
    named = named_tenant(request)
    only = None if named is None else TenantId(named)
    terminal = await application.database.write(
        lambda tx: _begun(tx, wanted, only, is_mailed=is_mailed)
    )
    for link in () if is_mailed else terminal.links:
        sign_in_links.say_here(application, link)
    return JSONResponse(
        {
            "code": terminal.code,
            "device": terminal.device_secret,
            "expires_at": iso(terminal.expires_at),
        },
        201,
    )


@router.post(
    "/sign-ins/poll",
    summary="Fetch a terminal's session",
    response_model=operating.Session,
    responses={
        202: {"description": "Nobody opened the link yet.", "model": operating.Pending},
        **public_refusals(413, 415),
    },
)
async def poll(application: Served, body: PollBody) -> JSONResponse:
    """The session, handed out once, as soon as the link was confirmed; 202 until then.

    A terminal that waits in vain is told 202 for ever: give up at `expires_at`.
    """
    session = await application.database.write(lambda tx: sign_ins.poll_terminal(tx, body.device))
    if session is None:
        return JSONResponse({"status": "pending"}, 202)
    return JSONResponse(
        {
            "token": session.token,
            "person": session.person,
            "expires_at": iso(session.expires_at),
        }
    )


@router.delete("/session", summary="Sign out", status_code=204, responses=refusals())
async def sign_out(visitor: CurrentVisitor, application: Served) -> Response:
    """End the session that this request came with; a key is revoked under /api/keys instead."""
    token = visitor.token
    if token is not None:
        await application.database.write(lambda tx: sign_ins.end(tx, token))
    return Response(status_code=204)


@router.get("/me", summary="Say who calls", response_model=operating.Me, responses=refusals())
async def me(visitor: CurrentVisitor) -> JSONResponse:
    """Who calls, and what they may do."""
    caller, session = visitor.caller, visitor.session
    return JSONResponse(
        {
            "kind": caller.kind,
            "tenant": caller.tenant,
            "name": caller.name,
            "person": caller.person,
            "key": caller.key,
            "owner": caller.owner,
            "scopes": sorted(caller.scopes),
            "expires_at": None if session is None else iso(session.expires_at),
        }
    )


def _begun(tx: Transaction, wanted: str, only: TenantId | None, *, is_mailed: bool) -> Terminal:
    terminal = sign_ins.begin_terminal(tx, wanted, homes=sign_ins.homes_of(tx, wanted, only))
    for link in terminal.links if is_mailed else ():
        sign_in_links.mail(tx, link, what=f" on a terminal: {terminal.code}")
    return terminal
