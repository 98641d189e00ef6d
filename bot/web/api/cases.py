"""Cases: what several sources report of one outcome, and whether that is final; for agents, tools and scripts."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema
from starlette.responses import JSONResponse

from bot.web.api.asking import Approvers
from bot.web.api.changed_shapes import Answer
from bot.web.api.once import IdempotencyKey, answered, once
from bot.web.api.paging import Cursor, Id, Limit, cut
from bot.web.api.reasons import Reason
from bot.web.callers import Asker, Operator, Reader, Scoped, Signaller
from bot.web.description import refusals
from bot.web.reading import StrictRoute
from engine.rules.cases import DEFAULT_DEADLINE, CaseStatus, Decider, Otherwise
from engine.rules.consensus import Standing
from engine.runtime import reconciling
from engine.services import cases
from engine.services.cases import Wanted
from engine.services.signals import Said

router = APIRouter(prefix="/api/cases", tags=["cases"], route_class=StrictRoute)

Share = Annotated[
    Any,
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": r"^[01](\.[0-9]{1,4})?$"},
                {"type": "integer", "minimum": 0, "maximum": 1},
            ]
        }
    ),
    Field(examples=["0.85"]),
]


class Signal(Answer):
    """What a source reported once; only what is `current` and not `late` counts."""

    id: str
    source: str
    outcome: str
    confidence: str
    meta: dict[str, Any]
    by: str
    current: bool
    late: bool
    received_at: datetime


class Support(Answer):
    """Who says one outcome, and what share of all certainty that is."""

    outcome: str
    sources: list[str]
    agreement: str


class Amounts(Answer):
    """What the current signals amount to."""

    state: Standing
    heard: int
    leading: str | None
    agreement: str
    tally: list[Support]


class Decided(Answer):
    """What made the outcome final: the sources or people in `who`."""

    outcome: str
    decided_by: Decider
    who: list[str]
    reason: str | None
    at: datetime


class Question(Answer):
    """Where people are asked which outcome holds."""

    run: str
    approval: str


class GivenUp(Answer):
    """By whom or what, why and when a case was left without an outcome."""

    by: str
    reason: str
    at: datetime


class CaseLine(Answer):
    """A case without its signals."""

    id: str
    title: str
    status: CaseStatus
    outcome: str | None
    outcomes: list[str]
    enough: str
    sources: int
    collected: bool
    otherwise: Otherwise
    approvers: str
    decision: Decided | None
    settlement: str | None = Field(description="The receipt of the effect that settled it.")
    opened_by: str
    opened_at: datetime
    updated_at: datetime
    settled_at: datetime | None
    expires_at: datetime | None = Field(
        description="When it is given up, unless it has an outcome."
    )
    given_up: GivenUp | None


class Case(CaseLine):
    """A case with every signal; `unanswered` says that operators must resolve it."""

    standing: Amounts
    signals: list[Signal]
    question: Question | None
    unanswered: bool


class CasePage(Answer):
    """Cases, newest first."""

    cases: list[CaseLine]
    next: str | None


class Reported(Answer):
    """What became of a signal: it `counted`, or was repeated, or late."""

    counted: bool
    reason: str
    signal: Signal
    case: Case


class CaseBody(BaseModel):
    """What is to be known, and how much agreement of how many sources makes it final."""

    model_config = ConfigDict(extra="forbid")

    title: Annotated[str, Field(examples=["Did order 17 arrive?"])]
    outcomes: Annotated[
        list[str] | None, Field(description="Those there may be; any, if none are named.")
    ] = None
    enough: Share = "0.80"
    sources: Annotated[
        int, Field(strict=True, description="How many must have reported; two at least.")
    ] = 2
    collected: Annotated[
        bool, Field(strict=True, description="One caller may report for several sources.")
    ] = False
    otherwise: Annotated[
        Otherwise, Field(description="Who decides where the sources do not agree.")
    ] = Otherwise.PEOPLE
    approvers: Approvers = None
    expires_after: Annotated[
        str, Field(description="How long it waits for an outcome; a year at most.", examples=["7d"])
    ] = DEFAULT_DEADLINE


class SignalBody(BaseModel):
    """What a source reports. The same `id` again changes nothing."""

    model_config = ConfigDict(extra="forbid")

    source: Annotated[str, Field(examples=["carrier"])]
    outcome: Annotated[str, Field(examples=["yes"])]
    confidence: Share = "1"
    id: Annotated[str | None, Field(examples=["carrier-event-991"])] = None
    meta: dict[str, Any] | None = None


class ResolveBody(BaseModel):
    """Which outcome holds, and how that is known."""

    model_config = ConfigDict(extra="forbid", strict=True)

    outcome: str
    reason: Reason


class CloseBody(BaseModel):
    """Why there will be no outcome."""

    model_config = ConfigDict(extra="forbid", strict=True)

    reason: Reason


@router.post(
    "",
    summary="Open a case",
    status_code=201,
    response_model=Case,
    responses=refusals(409, 413, 415),
)
async def begin(
    caller: Asker, application: Scoped, body: CaseBody, key: IdempotencyKey = None
) -> JSONResponse:
    """Open a case, of which sources then report."""
    asked = once(caller, key, "/api/cases", body)
    wanted = Wanted(**dict(body))
    made = await application.database.write(
        lambda tx: answered(tx, asked, lambda: cases.begin(tx, caller, wanted))
    )
    return JSONResponse(made, 201, {"Location": f"/api/cases/{made['id']}"})


@router.post(
    "/{id}/signals",
    summary="Report an outcome",
    response_model=Reported,
    responses={
        201: {"description": "It counts.", "model": Reported},
        **refusals(404, 409, 413, 415),
    },
)
async def signal(caller: Signaller, application: Scoped, id: Id, body: SignalBody) -> JSONResponse:
    """Say what a source reports; it takes the place of what that source said before.

    Once the outcome is final a signal is kept as late and changes nothing. Where enough sources have
    reported and they do not agree, people are asked.
    """
    said = Said(**dict(body))
    told = await application.database.write(lambda tx: reconciling.report(tx, caller, id, said))
    return JSONResponse(told, 201 if told["reason"] == "counted" else 200)


@router.get("", summary="List cases", response_model=CasePage, responses=refusals())
async def listing(
    _caller: Reader,
    application: Scoped,
    status: Annotated[CaseStatus | None, Query(description="Only those in this state.")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> JSONResponse:
    """Cases without their signals, newest first."""
    found = await application.database.read(
        lambda tx: cases.page(tx, application.tenant, status=status, before=cursor, limit=limit + 1)
    )
    page, last = cut(found, limit)
    return JSONResponse({"cases": list(page), "next": None if last is None else last["id"]})


@router.get("/{id}", summary="Read a case", response_model=Case, responses=refusals(404))
async def one(_caller: Reader, application: Scoped, id: Id) -> JSONResponse:
    """One case, with every signal and what they amount to."""
    return JSONResponse(
        await application.database.read(lambda tx: cases.show(tx, application.tenant, id))
    )


@router.post(
    "/{id}/resolve",
    summary="Say which outcome holds",
    response_model=Case,
    responses=refusals(404, 409, 413, 415),
)
async def resolve(caller: Operator, application: Scoped, id: Id, body: ResolveBody) -> JSONResponse:
    """Make an outcome final where the sources do not agree. Only people do, with a reason."""
    told = await application.database.write(
        lambda tx: cases.resolve(tx, caller, id, body.outcome, reason=body.reason)
    )
    return JSONResponse(told)


@router.post(
    "/{id}/close",
    summary="Close a case",
    response_model=Case,
    responses=refusals(404, 409, 413, 415),
)
async def close(caller: Operator, application: Scoped, id: Id, body: CloseBody) -> JSONResponse:
    """Leave it without an outcome, with a reason. What requires one is blocked from then on."""
    told = await application.database.write(
        lambda tx: cases.close(tx, caller, id, reason=body.reason)
    )
    return JSONResponse(told)
