"""The inbox: what somebody can still decide, all that is open, and all that was decided."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Annotated, Any, Final, assert_never
from urllib.parse import parse_qs, urlsplit

from fastapi import APIRouter, Depends, Query, Request, Response

from bot.web.callers import Scoped
from bot.web.pages.paging import FETCHED, Cursor, asked_text, cut
from bot.web.pages.showing import Look, PageRoute, show, show_part
from bot.web.pages.viewers import SignedIn, Viewer
from engine.clock import iso
from engine.rules.states import ApprovalStatus
from engine.services import approvals
from engine.services.approvals import Nearest
from engine.store.approvals import Wanted
from engine.store.database import Transaction
from engine.store.pictures import ApprovalPicture

DECIDED: Final = tuple(status for status in ApprovalStatus if status is not ApprovalStatus.OPEN)

router = APIRouter(route_class=PageRoute, include_in_schema=False)


class View(StrEnum):
    """Which approvals are listed."""

    MINE = "mine"
    OPEN = "open"
    DECIDED = "decided"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a list is asked for."""

    view: View
    q: str
    cursor: str | None


async def asked(
    view: Annotated[str, Query()] = "", q: Annotated[str, Query()] = "", cursor: Cursor = None
) -> Asked:
    """What the address asks for; a view that is unknown is one's own."""
    known = View(view) if view in set(View) else View.MINE
    return Asked(view=known, q=asked_text(q), cursor=cursor)


WhatIsAsked = Annotated[Asked, Depends(asked)]


@router.get("/approvals")
async def inbox(
    request: Request, viewer: SignedIn, application: Scoped, wanted: WhatIsAsked
) -> Response:
    """The inbox; one's own approvals come with the nearest deadline first, others newest first."""
    context = await application.database.read(lambda tx: _listed(tx, viewer, wanted))
    return show(request, "web/inbox.html", Look(viewer=viewer, here="inbox"), **context)


@router.get("/approvals/list")
async def inbox_list(
    request: Request, viewer: SignedIn, application: Scoped, wanted: WhatIsAsked
) -> Response:
    """Only the cards, those of the page on which they renew themselves."""
    page = parse_qs(urlsplit(request.headers.get("hx-current-url", "")).query)
    same = replace(wanted, cursor=next(iter(page.get("cursor", ())), None))
    context = await application.database.read(lambda tx: _listed(tx, viewer, same))
    return show_part(request, "web/partials/inbox_list.html", viewer, **context)


def _listed(tx: Transaction, viewer: Viewer, wanted: Asked) -> dict[str, Any]:
    tenant = viewer.visitor.caller.tenant
    counts = approvals.counts(tx, tenant)
    count_open = counts.get(ApprovalStatus.OPEN, 0)
    mine: str | None = None  # asked for where it is shown
    match wanted.view:
        case View.MINE:
            mine = approvals.counted(approvals.count_of(tx, tenant, viewer.id))
            part = Nearest(text=wanted.q or None, after=wanted.cursor, limit=FETCHED)
            rows, following = cut(approvals.inbox_of(tx, tenant, viewer.id, part))
            shown = approvals.drawn(tx, rows)
        case View.OPEN:
            shown, following = _stored(tx, viewer, wanted, status=ApprovalStatus.OPEN)
        case View.DECIDED:
            shown, following = _stored(tx, viewer, wanted, status=DECIDED)
        case _:
            assert_never(wanted.view)
    tabs = (
        (View.MINE, "Mine", mine),
        (View.OPEN, "Open", count_open),
        (View.DECIDED, "Decided", sum(counts.values()) - count_open),
    )
    return {
        "approvals": [picture.to_json() for picture in shown],
        "people": {id: name for picture in shown for id, name in picture.names.items()},
        "tabs": [{"key": key, "label": label, "count": count} for key, label, count in tabs],
        "view": wanted.view,
        "q": wanted.q,
        "next": following,
        "now": iso(tx.now),
    }


def _stored(
    tx: Transaction, viewer: Viewer, wanted: Asked, *, status: str | tuple[str, ...]
) -> tuple[list[ApprovalPicture], str | None]:
    page = Wanted(status=status, text=wanted.q or None, before=wanted.cursor, limit=FETCHED)
    return cut(approvals.page(tx, viewer.visitor.caller.tenant, page))
