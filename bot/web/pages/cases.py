"""Cases as pages: what their sources say, and for operators saying which outcome holds."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Form, Query, Request, Response

from bot.web.callers import Scoped
from bot.web.pages.notices import PageNotice
from bot.web.pages.paging import PAGE, Cursor, Id
from bot.web.pages.showing import Look, PageRoute, go, show
from bot.web.pages.viewers import OperatingPost, SignedIn
from engine.clock import iso
from engine.errors import Conflict, Invalid
from engine.ids import TenantId
from engine.rules.cases import WAITING, CaseStatus, Decider
from engine.services import cases
from engine.store import subjects
from engine.store.database import Transaction

TABS: Final = {
    "": "All",
    "in_reconciliation": "In dispute",
    "resolved_provisional": "Provisional",
    "final": "Final",
    "settled": "Settled",
    "expired": "Expired",
    "closed": "Closed",
}
PERSONAL: Final = (Decider.PEOPLE, Decider.OPERATOR)  # others name sources, which are nobody

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/cases")
async def cases_page(
    request: Request,
    viewer: SignedIn,
    application: Scoped,
    view: Annotated[str, Query()] = "",
    cursor: Cursor = None,
) -> Response:
    """Cases in one state, or all, newest first."""
    known = view if view in TABS else ""
    context = await application.database.read(
        lambda tx: _listed(tx, application.tenant, known, cursor)
    )
    return show(request, "web/cases.html", Look(viewer=viewer, here="cases"), **context)


@router.get("/cases/{id}")
async def case_page(request: Request, viewer: SignedIn, application: Scoped, id: Id) -> Response:
    """One case with everything that its sources said."""
    context = await application.database.read(lambda tx: _whole(tx, application.tenant, id))
    may_close = viewer.operates and context["case"]["status"] in WAITING
    may_resolve = may_close and context["case"]["status"] != CaseStatus.OPEN
    look = Look(viewer=viewer, here="cases")
    return show(
        request, "web/case.html", look, may_resolve=may_resolve, may_close=may_close, **context
    )


@router.post("/cases/{id}/resolve")
async def resolve(
    request: Request,
    viewer: OperatingPost,
    application: Scoped,
    id: Id,
    outcome: Annotated[str, Form(max_length=200)] = "",
    reason: Annotated[str, Form(max_length=2_000)] = "",
) -> Response:
    """Say which outcome holds; what cannot be is said, and nothing is changed."""
    if not reason.strip():
        return go(request, f"/cases/{id}", PageNotice(tone="bad", text="Say how you know."))
    caller = viewer.visitor.caller
    try:
        await application.database.write(
            lambda tx: cases.resolve(tx, caller, id, outcome, reason=reason.strip())
        )
    except (Conflict, Invalid) as refused:
        return go(request, f"/cases/{id}", PageNotice(tone="bad", text=str(refused)))
    return go(request, f"/cases/{id}", PageNotice(tone="good", text="The outcome is final."))


@router.post("/cases/{id}/close")
async def close(
    request: Request,
    viewer: OperatingPost,
    application: Scoped,
    id: Id,
    reason: Annotated[str, Form(max_length=2_000)] = "",
) -> Response:
    """Leave the case without an outcome; what cannot be is said, and nothing is changed."""
    if not reason.strip():
        return go(request, f"/cases/{id}", PageNotice(tone="bad", text="Say why."))
    caller = viewer.visitor.caller
    try:
        await application.database.write(
            lambda tx: cases.close(tx, caller, id, reason=reason.strip())
        )
    except Conflict as refused:
        return go(request, f"/cases/{id}", PageNotice(tone="bad", text=str(refused)))
    return go(request, f"/cases/{id}", PageNotice(tone="good", text="The case is closed."))


def _whole(tx: Transaction, tenant: TenantId, id: str) -> dict[str, Any]:
    found: Any = cases.show(tx, tenant, id)
    decision = found["decision"]
    named = [found["opened_by"], *(each["by"] for each in found["signals"])]
    if decision and decision["decided_by"] in PERSONAL:
        named += decision["who"]
    if found["given_up"]:
        named.append(found["given_up"]["by"])
    people = subjects.names_of(tx, tenant, named)
    return {"case": found, "people": people, "now": iso(tx.now)}


def _listed(tx: Transaction, tenant: TenantId, view: str, cursor: str | None) -> dict[str, Any]:
    found = cases.page(tx, tenant, status=view or None, before=cursor, limit=PAGE + 1)
    return {
        "cases": found[:PAGE],
        "people": subjects.names_of(tx, tenant, [str(case["opened_by"]) for case in found]),
        "tabs": [{"key": key, "label": label} for key, label in TABS.items()],
        "view": view,
        "next": found[PAGE - 1]["id"] if len(found) > PAGE else None,
        "now": iso(tx.now),
    }
