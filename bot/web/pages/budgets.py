"""Budgets as a page: what is spent of which limit, where it is heading, and setting one."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response

from bot.web.callers import Scoped
from bot.web.pages.notices import PageNotice
from bot.web.pages.showing import Look, PageRoute, go, show
from bot.web.pages.viewers import Operating, OperatingPost
from engine.clock import iso
from engine.errors import Invalid
from engine.rules.budget import Period, Then
from engine.services import budgets
from engine.services.budgets import Wanted

router = APIRouter(route_class=PageRoute, include_in_schema=False)

Text = Annotated[str, Form(max_length=300)]


async def typed(
    *, scope: Text = "", limit: Text = "", tokens: Text = "", per: Text = "", then: Text = ""
) -> Wanted:
    """The budget that is meant; `100.00` is dollars, `100.00 EUR` says of what."""
    asked: dict[str, object] = {}
    if limit.strip():
        number, _, currency = limit.strip().partition(" ")
        asked[currency.strip() or "USD"] = number
    if count := tokens.strip():
        asked["tokens"] = int(count) if count.isdecimal() else count
    return Wanted(scope=scope.strip(), limit=asked, per=per, then=then)


@router.get("/budgets")
async def budgets_page(request: Request, viewer: Operating, application: Scoped) -> Response:
    """Every budget with its present period; operators only."""
    found, now = await application.database.read(
        lambda tx: (budgets.listing(tx, application.tenant), iso(tx.now))
    )
    look = Look(viewer=viewer, here="budgets")
    choices = {"periods": list(Period), "thens": list(Then)}
    return show(request, "web/budgets.html", look, budgets=found, now=now, **choices)


@router.post("/budgets")
async def set_budget(
    request: Request,
    viewer: OperatingPost,
    application: Scoped,
    wanted: Annotated[Wanted, Depends(typed)],
) -> Response:
    """Set one; what cannot be understood is said, and nothing is changed."""
    try:
        await application.database.write(
            lambda tx: budgets.set_budget(tx, application.tenant, wanted, by=viewer.subject)
        )
    except Invalid as refused:
        return go(request, "/budgets", PageNotice(tone="bad", text=str(refused)))
    return go(request, "/budgets", PageNotice(tone="good", text="The budget is set."))
