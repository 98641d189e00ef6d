"""Organisations that share this installation: made, renamed and put to rest by whoever runs it."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse

from bot.web.api import operating
from bot.web.callers import Operator, Scoped
from bot.web.description import refusals
from bot.web.reading import StrictRoute
from engine.clock import iso
from engine.errors import NotAllowed
from engine.ids import DEFAULT_TENANT, TenantId
from engine.services import tenants
from engine.services.keys import Caller
from engine.services.tenants import Tenant
from engine.store.database import Transaction

router = APIRouter(prefix="/api/tenants", tags=["tenants"], route_class=StrictRoute)

Name = Annotated[str, Field(max_length=200, examples=["Acme"])]
TenantSlug = Annotated[str, Path(max_length=64)]


async def landlord(caller: Operator) -> Caller:
    """A dependency that gives the caller, if they operate the installation itself.

    Raises:
        NotAllowed: `not_the_installation`, for operators of any other tenant.
    """
    if caller.tenant != DEFAULT_TENANT:
        raise NotAllowed(
            "Tenants are the business of the installation's operators, who are of the tenant default.",
            code="not_the_installation",
        )
    return caller


Landlord = Annotated[Caller, Depends(landlord)]


class TenantBody(BaseModel):
    """An organisation that is wanted."""

    model_config = ConfigDict(extra="forbid")

    id: Annotated[str, Field(max_length=64, examples=["acme"])]
    name: Name


class TenantChange(BaseModel):
    """What is to be different; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    name: Name | None = None
    is_active: bool | None = None


@router.get(
    "", summary="List the tenants", response_model=operating.TenantList, responses=refusals()
)
async def listing(_caller: Landlord, application: Scoped) -> JSONResponse:
    """Every tenant, those at rest included, in the order of their ids."""
    found = await application.database.read(tenants.listing)
    return JSONResponse({"tenants": [_shown(tenant) for tenant in found]})


@router.post(
    "",
    summary="Make a tenant",
    status_code=201,
    response_model=operating.Tenant,
    responses=refusals(409, 413, 415),
)
async def create(caller: Landlord, application: Scoped, body: TenantBody) -> JSONResponse:
    """Make a tenant, empty and active. Its people come from `signoff.toml`, its keys from `/api/keys`."""
    made = await application.database.write(
        lambda tx: tenants.create(tx, body.id, name=body.name, by=caller.subject)
    )
    return JSONResponse(_shown(made), 201)


@router.patch(
    "/{id}",
    summary="Rename a tenant, or put it to rest",
    response_model=operating.Tenant,
    responses=refusals(404, 409, 413, 415),
)
async def change(
    caller: Landlord, application: Scoped, id: TenantSlug, body: TenantChange
) -> JSONResponse:
    """Rename it, let it rest, or let it go on.

    At rest its keys, sessions and links are refused, its runs are not driven and its messages are not
    sent; active again, it goes on where it stood.
    """
    changed = await application.database.write(
        lambda tx: _changed(tx, TenantId(id), body, by=caller.subject)
    )
    return JSONResponse(_shown(changed))


def _changed(tx: Transaction, tenant: TenantId, body: TenantChange, *, by: str) -> Tenant:
    if body.name is not None:
        tenants.rename(tx, tenant, body.name, by=by)
    if body.is_active is not None:
        (tenants.activate if body.is_active else tenants.deactivate)(tx, tenant, by=by)
    return tenants.get(tx, tenant)


def _shown(tenant: Tenant) -> dict[str, Any]:
    return {
        "id": tenant.id,
        "name": tenant.name,
        "is_active": tenant.is_active,
        "origin": tenant.origin,
        "created_at": None if tenant.created_at is None else iso(tenant.created_at),
    }
