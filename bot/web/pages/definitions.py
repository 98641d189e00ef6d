"""Written workflows as a page: what each does, step by step, and how it was written."""

from typing import Any

from fastapi import APIRouter, Request, Response

from bot.web.callers import Scoped
from bot.web.pages.showing import Look, PageRoute, show
from bot.web.pages.viewers import SignedIn
from engine.clock import iso
from engine.ids import TenantId
from engine.runtime.definitions.outline import outline
from engine.services import definitions
from engine.services.definitions import DefinitionRow
from engine.store import subjects
from engine.store.database import Transaction
from engine.store.runs import RunRow

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/definitions")
async def definitions_page(request: Request, viewer: SignedIn, application: Scoped) -> Response:
    """The newest version of every definition, by name."""
    context = await application.database.read(lambda tx: _listed(tx, application.tenant))
    look = Look(viewer=viewer, here="definitions")
    return show(request, "web/definitions.html", look, **context)


def outline_of(tx: Transaction, run: RunRow) -> list[dict[str, object]]:
    """The steps of the definition that a run goes by; none where its workflow is code."""
    row = definitions.of_run(tx, run)
    return [] if row is None else _steps(row)


def _listed(tx: Transaction, tenant: TenantId) -> dict[str, Any]:
    rows = definitions.listing(tx, tenant)
    return {
        "definitions": [_line(row) for row in rows],
        "people": subjects.names_of(tx, tenant, [row.added_by for row in rows]),
    }


def _line(row: DefinitionRow) -> dict[str, Any]:
    return {
        "name": row.name,
        "version": row.version,
        "added_by": row.added_by,
        "added_at": iso(row.added_at),
        "source": row.source,
        "outline": _steps(row),
    }


def _steps(row: DefinitionRow) -> list[dict[str, object]]:
    try:
        return outline(row.body)
    except ValueError:  # written for a later version of ours
        return []
