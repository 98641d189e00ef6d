"""One approval as a page: what will happen, where it stands, what happened so far, and the vote."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from bot.application import Application
from bot.web import problems
from bot.web.callers import Scoped
from bot.web.form_fields import Sent
from bot.web.pages.answers import VOTE_WITHIN, Said, may_vote
from bot.web.pages.notices import PageNotice, Tone
from bot.web.pages.paging import Id
from bot.web.pages.showing import Look, PageRoute, go, show, show_part
from bot.web.pages.timeline import timeline
from bot.web.pages.viewers import Posting, SignedIn, Viewer
from engine.clock import iso
from engine.errors import (
    AlreadyDecided,
    EngineError,
    NotEligible,
    NotFound,
    TooLate,
    Unavailable,
)
from engine.ids import TenantId
from engine.services import approvals, votes
from engine.store import approvals as rows
from engine.store import journal, sealing, subjects
from engine.store.database import Transaction

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/approvals/{id}")
async def approval_page(
    request: Request, viewer: SignedIn, application: Scoped, id: Id
) -> Response:
    """Everything about one approval, for everybody who is signed in."""
    context = await application.database.read(lambda tx: _whole(tx, application.tenant, id, viewer))
    return show(request, "web/approval.html", Look(viewer=viewer, here="inbox"), **context)


@router.get("/approvals/{id}/live")
async def approval_live(
    request: Request,
    viewer: SignedIn,
    application: Scoped,
    id: Id,
    seen: Annotated[str, Query(max_length=100)] = "",
) -> Response:
    """What changes while an approval is looked at; `seen` is the digest that its reader has before them."""
    context = await application.database.read(
        lambda tx: _standing(tx, application.tenant, id, viewer)
    )
    template = "web/partials/approval_live.html"
    return show_part(request, template, viewer, **context, seen=seen)


@router.post("/approvals/{id}/votes")
async def vote(
    request: Request,
    viewer: Posting,
    application: Scoped,
    id: Id,
    said: Said,
) -> Response:
    """Vote, and say on the approval's page what became of it. What is refused stands there again."""
    ballot = said.ballot(application.tenant, id, viewer.id)
    try:
        receipt = await votes.vote(application.database, ballot, within=VOTE_WITHIN)
    except NotFound:
        raise
    except (AlreadyDecided, TooLate, NotEligible) as error:
        return go(request, f"/approvals/{id}", PageNotice(tone="bad", text=str(error)))
    except EngineError as error:
        return await _again(request, viewer, application, id, said.refused(error), error)
    return go(request, f"/approvals/{id}", PageNotice(tone="good", text=receipt.message))


@router.get("/approvals/{id}/votes")
async def votes_page(request: Request, viewer: SignedIn, id: Id) -> Response:
    """Where a refused answer leaves a browser: whoever loads it again looks at the approval."""
    return go(request, f"/approvals/{id}")


async def _again(
    request: Request,
    viewer: Viewer,
    application: Application,
    id: str,
    sent: Sent,
    error: EngineError,
) -> Response:
    tenant = application.tenant
    context = await application.database.read(lambda tx: _whole(tx, tenant, id, viewer))
    tone: Tone = "warn" if isinstance(error, Unavailable) else "bad"
    status = problems.of_engine(error, signed_in=True).status
    notice = PageNotice(tone=tone, text=str(error))
    look = Look(viewer=viewer, here="inbox", status=status, notice=notice)
    return show(request, "web/approval.html", look, **{**context, "sent": sent})


def _whole(tx: Transaction, tenant: TenantId, id: str, viewer: Viewer) -> dict[str, Any]:
    row = rows.get(tx, tenant, id)
    picture = approvals.picture(tx, tenant, id)
    events = timeline(
        row, picture, sealing.opened_entries(tx, row.tenant, journal.entries(tx, row.run))
    )
    others = subjects.names_of(tx, tenant, [event.who for event in events if event.who])
    return {
        "approval": picture.to_json(),
        "seen": row.digest,
        "vote": may_vote(tx, row, viewer.id),
        "timeline": events,
        "people": others | dict(picture.names),
        "now": iso(tx.now),
    }


def _standing(tx: Transaction, tenant: TenantId, id: str, viewer: Viewer) -> dict[str, Any]:
    picture = approvals.picture(tx, tenant, id)
    return {
        "approval": picture.to_json(),
        "people": picture.names,
        "vote": may_vote(tx, rows.get(tx, tenant, id), viewer.id),
        "now": iso(tx.now),
    }
