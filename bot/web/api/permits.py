"""Permits: what an effect's target asks to see, spends once, or checks on its own with a public key."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse

from bot.web.api.changed_shapes import Answer
from bot.web.api.paging import Id
from bot.web.api.receipts import RANDOM
from bot.web.callers import Effector, Scoped, Spender
from bot.web.description import public_refusals, refusals
from bot.web.reading import StrictRoute
from bot.web.state import Served
from engine.ids import TenantId
from engine.permits import TOKEN_CHARS_MAX, key_id
from engine.services import permits
from engine.services.permits import Spending, Wanted

router = APIRouter(tags=["receipts"], route_class=StrictRoute)

SECONDS_MAX: Final = permits.LASTS_MAX.total_seconds()


class PermitBody(BaseModel):
    """Who asks for a permit proves with the claim's `token` that the effect was granted to it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    token: Annotated[str, Field(pattern=RANDOM)]
    audience: Annotated[
        str, Field(max_length=200, description="The target that may take it.", examples=["bank"])
    ]
    lasts_s: Annotated[float, Field(gt=0, le=SECONDS_MAX)] = SECONDS_MAX


class SpendBody(BaseModel):
    """A permit, and what its target is about to do: it must be what the permit is for."""

    model_config = ConfigDict(extra="forbid", strict=True)

    permit: Annotated[str, Field(max_length=TOKEN_CHARS_MAX)]
    spend_id: Annotated[
        str,
        Field(max_length=200, description="Your own name for this: sent again, it is the same."),
    ]
    audience: Annotated[str, Field(max_length=200, description="Who you are.")]
    action: Annotated[str, Field(min_length=1, max_length=200, examples=["refund"])]
    payload: Annotated[Any, Field(examples=[{"order": "17"}])] = None


class Said(Answer):
    """What a permit says, and what was signed. `key` names the key that signed it."""

    version: str
    id: str
    tenant: str
    key: str
    audience: str
    namespace: str
    request_id: str
    action: str
    fingerprint: str = Field(description="Of action and payload.")
    receipt: str
    attempt: int
    approval: str | None = Field(description="The approval that allowed it.")
    digest: str | None = Field(description="What people agreed to in it.")
    issued_at: datetime
    expires_at: datetime


class IssuedPermit(Said):
    """A permit. `permit` is the token to hand to the target."""

    permit: str


class SpentPermit(Said):
    """The permit is yours: make the effect."""

    ok: Literal[True]
    permit: str = Field(description="Its id.")
    spend_id: str
    spent_by: str
    spent_at: datetime


class PermitKey(Answer):
    """A public key, and the name that permits call it by."""

    id: str
    key: str


class PermitKeys(Answer):
    """The public keys of permits: the one that signs now first, then those that did and still count."""

    keys: list[PermitKey]


@router.post(
    "/api/receipts/{id}/permit",
    status_code=201,
    summary="Get a permit for an effect",
    response_model=IssuedPermit,
    responses=refusals(404, 409, 413, 415),
)
async def issue(caller: Effector, application: Scoped, id: Id, body: PermitBody) -> JSONResponse:
    """A signed permit for one target, for whoever was granted the effect: good for a minute at most, and spent once."""
    wanted = Wanted(token=body.token, audience=body.audience, lasts=timedelta(seconds=body.lasts_s))
    issued = await application.database.write(
        lambda tx: permits.issue(tx, caller.tenant, id, wanted)
    )
    return JSONResponse(issued.to_json(), 201)


@router.post(
    "/api/permits/spend",
    summary="Spend a permit",
    response_model=SpentPermit,
    responses=refusals(409, 413, 415),
)
async def spend(caller: Spender, application: Scoped, body: SpendBody) -> JSONResponse:
    """Spend a permit before you make its effect: of all who try, one may. Say what you are about to do.

    The same `spend_id` by the same key is answered the same. Everybody else gets 409 `permit_spent`;
    what is for another target or another effect is 403, what has expired or is void by now is 409.
    """
    spending = Spending(
        token=body.permit,
        spend_id=body.spend_id,
        audience=body.audience,
        action=body.action,
        payload=body.payload,
        by=caller.subject,
    )
    spent = await application.database.write(lambda tx: permits.spend(tx, caller.tenant, spending))
    return JSONResponse(spent.told())


@router.get(
    "/.well-known/signoff-permits",
    summary="Read the public keys of permits",
    response_model=PermitKeys,
    responses=public_refusals(),
)
async def keys(
    application: Served,
    tenant: Annotated[str, Query(min_length=1, max_length=100, description="Whose permits.")],
) -> JSONResponse:
    """With which anybody can check a permit on their own. It answers alike for tenants that there are not."""
    found = permits.trusted(application.tokens, TenantId(tenant))
    return JSONResponse({"keys": [{"id": key_id(each), "key": each} for each in found]})
