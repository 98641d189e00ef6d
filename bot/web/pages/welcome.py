"""The start page: what to do first while nothing was ever asked, and the inbox from then on."""

from fastapi import APIRouter, Request, Response

from bot.web.callers import Scoped
from bot.web.pages.showing import Look, PageRoute, go, show
from bot.web.pages.viewers import SignedIn
from engine.services import approvals

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/")
async def start(request: Request, viewer: SignedIn, application: Scoped) -> Response:
    """First steps, or the inbox."""
    counts = await application.database.read(lambda tx: approvals.counts(tx, application.tenant))
    if sum(counts.values()):
        return go(request, "/approvals")
    base_url = application.base_url
    return show(request, "web/welcome.html", Look(viewer=viewer, here="inbox"), base_url=base_url)
