"""The record as a page: the audit's entries, how far all of it is anchored, and what to take away."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from bot.web.api import record as answers
from bot.web.callers import Scoped
from bot.web.pages.paging import FETCHED, asked_text, cut
from bot.web.pages.showing import Look, PageRoute, show
from bot.web.pages.viewers import Operating
from engine.clock import iso
from engine.ids import TenantId
from engine.services import anchoring, auditing
from engine.store.database import Transaction

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/audit")
async def audit_page(
    request: Request,
    viewer: Operating,
    application: Scoped,
    kind: Annotated[str, Query()] = "",
    cursor: Annotated[str | None, Query(pattern=r"^[0-9]{1,12}$")] = None,
) -> Response:
    """The audit, newest first; operators only."""
    wanted = asked_text(kind)
    before = None if cursor is None else int(cursor)
    context = await application.database.read(
        lambda tx: _listed(tx, application.tenant, wanted, before)
    )
    look = Look(viewer=viewer, here="audit")
    return show(
        request, "web/audit.html", look, report=None, key=application.signer.public, **context
    )


@router.get("/audit/verified")
async def verified_page(request: Request, viewer: Operating, application: Scoped) -> Response:
    """The same after a walk over every chain; operators only."""
    tenant = application.tenant
    report = await auditing.verify(application.database, tenant, trusted=application.trusted)
    context = await application.database.read(lambda tx: _listed(tx, tenant, "", None))
    look = Look(viewer=viewer, here="audit")
    told, key = report.to_json(), application.signer.public
    return show(request, "web/audit.html", look, report=told, key=key, **context)


@router.get("/audit/export.jsonl")
async def export_lines(_viewer: Operating, application: Scoped) -> Response:
    """The whole record as lines that can be verified anywhere; operators only."""
    return await answers.streamed(application, as_csv=False)


@router.get("/audit/export.csv")
async def export_table(_viewer: Operating, application: Scoped) -> Response:
    """The whole record as a table; operators only."""
    return await answers.streamed(application, as_csv=True)


def _listed(tx: Transaction, tenant: TenantId, kind: str, before: int | None) -> dict[str, Any]:
    found = auditing.page(tx, tenant, kind=kind or None, before=before, limit=FETCHED)
    shown, following = cut(found)
    last = anchoring.last(tx, tenant)
    return {
        "entries": [answers.line_json(each) for each in shown],
        "kind": kind,
        "next": following,
        "last_anchor": None if last is None else {"number": last.number, "at": iso(last.at)},
    }
