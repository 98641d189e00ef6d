"""The outbox as a page: what has to reach people, what does not get there, and sending it again."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response

from bot.web.callers import Scoped
from bot.web.pages.notices import PageNotice
from bot.web.pages.paging import FETCHED, Cursor, Id, cut
from bot.web.pages.showing import Look, PageRoute, go, show
from bot.web.pages.viewers import Operating, OperatingPost
from engine.clock import iso
from engine.errors import NotFound
from engine.ids import DeliveryId, TenantId
from engine.services import deliveries
from engine.store.database import Transaction

TABS: Final = {"dead": "Given up", "pending": "Waiting", "sent": "Sent", "dropped": "Not needed"}

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/outbox")
async def outbox_page(
    request: Request,
    viewer: Operating,
    application: Scoped,
    view: Annotated[str, Query()] = "dead",
    cursor: Cursor = None,
) -> Response:
    """Deliveries in one state, newest first; operators only."""
    known = view if view in TABS else "dead"
    context = await application.database.read(
        lambda tx: _listed(tx, application.tenant, known, cursor)
    )
    return show(request, "web/outbox.html", Look(viewer=viewer, here="outbox"), **context)


@router.post("/outbox/{id}/redrive")
async def redrive(
    request: Request, _viewer: OperatingPost, application: Scoped, id: Id
) -> Response:
    """Send a dead delivery again, as if it had never been tried."""
    try:
        await application.database.write(
            lambda tx: deliveries.redrive(tx, application.tenant, DeliveryId(id))
        )
    except NotFound:
        # Somebody else pressed first, or it was never dead; either way the list says how it stands.
        return go(request, "/outbox", PageNotice(tone="warn", text="This one is not given up."))
    return go(request, "/outbox", PageNotice(tone="good", text="It is sent again."))


def _listed(tx: Transaction, tenant: TenantId, view: str, cursor: str | None) -> dict[str, Any]:
    found = deliveries.listing(tx, tenant, status=view, before=cursor, limit=FETCHED)
    shown, following = cut(found)
    counts = deliveries.counts(tx, tenant)
    return {
        "deliveries": shown,
        "tabs": [
            {"key": key, "label": label, "count": counts.get(key, 0)} for key, label in TABS.items()
        ],
        "view": view,
        "next": following,
        "now": iso(tx.now),
    }
