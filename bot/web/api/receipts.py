"""Receipts: effects that are made once, whoever and however many try; for agents, tools and scripts."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse

from bot.web.api.changed_shapes import Answer
from bot.web.api.paging import Cursor, Id, Limit, cut
from bot.web.callers import Effector, Reader, Scoped
from bot.web.description import refusals
from bot.web.reading import StrictRoute
from engine.rules.receipts import ReceiptState
from engine.services import claiming, receipts
from engine.services.claiming import Asked
from engine.services.keys import Scope
from engine.services.receipts import Ending, Outcome

router = APIRouter(prefix="/api/receipts", tags=["receipts"], route_class=StrictRoute)

RANDOM: Final = r"^[A-Za-z0-9_-]{22,200}$"


class Receipt(Answer):
    """One effect, as it stands. `reason` says why you got it."""

    ok: bool
    state: ReceiptState | None
    reason: str
    request_id: str
    namespace: str
    execution_id: str | None = None
    action: str
    payload: Any
    timestamp_utc: datetime | None = None
    result: Any = None
    artifact: str | None = Field(None, description="Where a result of more than 8 KiB is kept.")
    error: str | None = None
    attempt: int = 0
    settles: str | None = Field(None, description="The case that it settles.")
    spent: dict[str, Any] | None = Field(
        None, description="Who took the permit of this claim, when, and under which `spend_id`."
    )


class Claim(Answer):
    """What a claim came to. Only where `granted`, make the effect, and settle it with `token`."""

    granted: bool
    token: str | None
    receipt: Receipt


class ReceiptPage(Answer):
    """Receipts, newest first."""

    receipts: list[Receipt]
    next: str | None


class ClaimBody(BaseModel):
    """Which effect is to be made. The request id names the occasion, action and payload the effect."""

    model_config = ConfigDict(extra="forbid", strict=True)

    request_id: Annotated[str, Field(examples=["order-17-refund"])]
    action: Annotated[str, Field(min_length=1, max_length=200, examples=["refund"])]
    payload: Annotated[Any, Field(examples=[{"order": "17"}])] = None
    namespace: Annotated[str, Field(max_length=200)] = "default"
    effect: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=500,
            description="Its own name, where several request ids stand for it.",
        ),
    ] = None
    requires: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=100,
            description="The approval that must have been given, or the case that must be final.",
        ),
    ] = None
    outcome: Annotated[
        str | None,
        Field(min_length=1, max_length=200, description="The outcome that the case must have."),
    ] = None
    lease_s: Annotated[
        float, Field(gt=0, le=86_400, description="How long the effect takes at most.")
    ] = 300
    records: Annotated[
        bool, Field(description="It happened already: keep the receipt and grant nothing.")
    ] = False
    token: Annotated[
        str | None,
        Field(pattern=RANDOM, description="Random, your own: a claim sent again is the same one."),
    ] = None


class EndBody(BaseModel):
    """How an effect ended: with its `token` by who made it, without by who found out."""

    model_config = ConfigDict(extra="forbid", strict=True)

    outcome: Outcome
    token: Annotated[str | None, Field(pattern=RANDOM)] = None
    attempt: Annotated[int | None, Field(ge=1, description="Which attempt is meant.")] = None
    result: Any = None
    error: Annotated[str | None, Field(max_length=4_000)] = None
    reason: Annotated[str | None, Field(max_length=2_000, description="How you know.")] = None


@router.post(
    "",
    summary="Claim an effect",
    response_model=Claim,
    responses={
        201: {"description": "Granted or recorded.", "model": Claim},
        **refusals(404, 409, 413, 415),
    },
)
async def claim(caller: Effector, application: Scoped, body: ClaimBody) -> JSONResponse:
    """Claim an effect before you make it: of all claims under one request id one is granted.

    The others get the receipt of what became of it, or `in_progress`, or `unknown` if whoever was
    granted it was not heard of. The same request id with another action or payload is 409
    `request_id_conflict`.
    """
    given = body.model_dump(exclude={"lease_s", "token"})
    asked = Asked(
        tenant=caller.tenant,
        by=caller.subject,
        token=body.token or application.ids.secret(),
        lease_for=timedelta(seconds=body.lease_s),
        **given,
    )
    claimed = await application.database.write(lambda tx: claiming.claim(tx, asked))
    answer = {
        "granted": claimed.granted,
        "token": asked.token if claimed.granted else None,
        "receipt": claimed.to_json(asked),
    }
    is_new = claimed.granted or claimed.reason == "recorded"
    return JSONResponse(answer, 201 if is_new else 200)


@router.get("", summary="List receipts", response_model=ReceiptPage, responses=refusals())
async def listing(
    _caller: Reader,
    application: Scoped,
    state: Annotated[ReceiptState | None, Query(description="Only those in this state.")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> JSONResponse:
    """Receipts, newest first."""
    found = await application.database.read(
        lambda tx: receipts.page(
            tx, application.tenant, state=state, before=cursor, limit=limit + 1
        )
    )
    page, last = cut(found, limit)
    following = None if last is None else last.execution
    lines = [row.to_json("read") for row in page]
    return JSONResponse({"receipts": lines, "next": following})


@router.get("/{id}", summary="Read a receipt", response_model=Receipt, responses=refusals(404))
async def one(_caller: Reader, application: Scoped, id: Id) -> JSONResponse:
    """One receipt, by its execution id."""
    row = await application.database.read(lambda tx: receipts.find(tx, application.tenant, id))
    return JSONResponse(row.to_json("read"))


@router.post(
    "/{id}/settle",
    summary="Say how an effect ended",
    response_model=Receipt,
    responses=refusals(404, 409, 413, 415),
)
async def settle(caller: Effector, application: Scoped, id: Id, body: EndBody) -> JSONResponse:
    """Say how an effect ended. Who was granted it says so with the claim's `token`; of one that is
    unknown, anybody with the scope may say what they found out, and why they know. Once its permit was
    spent, that nothing happened is for who spent it, or an operator, to say.
    """
    is_operator = Scope.OPERATE in caller.scopes
    ending = Ending(by=caller.subject, operates=is_operator, **body.model_dump())
    row = await application.database.write(lambda tx: receipts.end(tx, caller.tenant, id, ending))
    return JSONResponse(row.to_json("settled"))
