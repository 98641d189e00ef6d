"""Budgets over HTTP: what may be spent, what is spent of it, and setting limits."""

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse

from bot.web.api.changed_shapes import Answer
from bot.web.api.paging import Id
from bot.web.callers import Operator, Reader, Scoped
from bot.web.description import refusals
from bot.web.reading import StrictRoute
from engine.rules.budget import Enforce, Period, Then
from engine.services import budgets
from engine.services.budgets import Wanted

router = APIRouter(prefix="/api/budgets", tags=["budgets"], route_class=StrictRoute)

Amounts = dict[str, Any]


class BudgetBody(BaseModel):
    """What may be spent where, and what becomes of a run whose next step no longer fits."""

    model_config = ConfigDict(extra="forbid")

    scope: Annotated[str, Field(max_length=300, examples=["workflow:refund"])] = "tenant"
    per: Period = Period.TOTAL
    limit: Annotated[Amounts, Field(examples=[{"usd": "1000.00", "tokens": 2000000}])]
    then: Then = Then.FAIL
    enforce: Enforce = Enforce.BEFORE
    more: Annotated[Amounts | None, Field(examples=[{"usd": "100.00"}])] = None
    approvers: Annotated[str, Field(max_length=1000)] = "role:operator"


class Usage(Answer):
    """What one period holds of one unit. `forecast` is what it comes to if it goes on like this."""

    period: str
    unit: str
    limit: str
    granted: str
    spent: str
    reserved: str
    left: str
    percent: int
    forecast: str | None
    ends_at: str | None


class Budget(Answer):
    """One budget. `more` is what an approval adds; without it, what the refused step lacked."""

    id: str
    scope: str
    per: Period
    limit: Amounts
    then: Then
    enforce: Enforce
    more: Amounts | None
    approvers: str
    origin: str
    set_at: str | None
    usage: list[Usage]


class BudgetList(Answer):
    """Every active budget, those of single runs last."""

    budgets: list[Budget]


@router.get("", summary="List budgets", response_model=BudgetList, responses=refusals())
async def listing(_caller: Reader, application: Scoped) -> JSONResponse:
    """Every active budget, with what is spent of it in its present period."""
    found = await application.database.read(lambda tx: budgets.listing(tx, application.tenant))
    return JSONResponse({"budgets": found})


@router.post(
    "",
    summary="Set a budget",
    status_code=201,
    response_model=Budget,
    responses=refusals(413, 415),
)
async def set_budget(caller: Operator, application: Scoped, body: BudgetBody) -> JSONResponse:
    """Set the budget of a scope and period, new or changed; what is spent already stays spent."""
    wanted = Wanted(**dict(body))
    made = await application.database.write(
        lambda tx: budgets.set_budget(tx, caller.tenant, wanted, by=caller.subject)
    )
    return JSONResponse(made, 201, {"Location": f"/api/budgets/{made['id']}"})


@router.get("/{id}", summary="Read a budget", response_model=Budget, responses=refusals(404))
async def one(_caller: Reader, application: Scoped, id: Id) -> JSONResponse:
    """One budget, in its present period."""
    found = await application.database.read(lambda tx: budgets.show(tx, application.tenant, id))
    return JSONResponse(found)


@router.delete("/{id}", summary="Remove a budget", status_code=204, responses=refusals(404))
async def remove(caller: Operator, application: Scoped, id: Id) -> None:
    """Let a budget hold nobody any more; what it counted stays on record."""
    await application.database.write(
        lambda tx: budgets.remove(tx, caller.tenant, id, by=caller.subject)
    )
