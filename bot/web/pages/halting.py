"""Kill switches as a page: what is engaged, and the one form that engages or releases."""

from enum import StrEnum
from typing import Annotated, Any, Final

from fastapi import APIRouter, Form, Request, Response

from bot.web.callers import Scoped
from bot.web.pages.notices import PageNotice
from bot.web.pages.showing import Look, PageRoute, go, show
from bot.web.pages.viewers import Operating, OperatingPost
from engine.clock import iso
from engine.errors import Conflict, Invalid, NotFound, Refused
from engine.ids import DEFAULT_TENANT, TenantId
from engine.services import halting
from engine.store import subjects
from engine.store.database import Transaction

PATH: Final = "/kill-switch"
REASON_CHARS_MAX: Final = 500


class Turn(StrEnum):
    """What an operator does with a switch."""

    ENGAGE = "engage"
    RELEASE = "release"


router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get(PATH)
async def switch_page(request: Request, viewer: Operating, application: Scoped) -> Response:
    """Which switches are engaged; operators only."""
    context = await application.database.read(lambda tx: _shown(tx, application.tenant))
    return show(request, "web/kill_switch.html", Look(viewer=viewer, here="kill-switch"), **context)


@router.post(PATH + "/{turn}")
async def turn_switch(
    request: Request,
    viewer: OperatingPost,
    application: Scoped,
    turn: Turn,
    scope: Annotated[str, Form()] = "",
    reason: Annotated[str, Form()] = "",
) -> Response:
    """Engage or release, and keep the reason in the audit chain."""
    why = " ".join(reason.replace("\0", " ").split())
    if not 0 < len(why) <= REASON_CHARS_MAX:
        raise Invalid(
            f"Give a reason of up to {REASON_CHARS_MAX} characters; it is kept.", code="bad_reason"
        )
    try:
        notice = await application.database.write(
            lambda tx: _turned(tx, viewer, turn, scope=scope, reason=why)
        )
    except (Conflict, Invalid, NotFound, Refused) as error:
        notice = PageNotice(tone="bad", text=str(error))
    return go(request, PATH, notice)


def _turned(
    tx: Transaction, viewer: OperatingPost, turn: Turn, *, scope: str, reason: str
) -> PageNotice:
    caller = viewer.visitor.caller
    if turn is Turn.ENGAGE:
        switch = halting.engage(tx, caller, scope, reason=reason)
        warning = halting.warning(tx, switch) or ""
        text = f"Engaged: no step below {switch.scope} begins. {warning}".strip()
        return PageNotice(tone="warn", text=text)
    if halting.release(tx, caller, scope, reason=reason) is None:
        return PageNotice(tone="good", text=f"Released: what waited below {scope} goes on.")
    text = f"You asked to release {scope}. It stays engaged until a second operator releases it."
    return PageNotice(tone="warn", text=text)


def _shown(tx: Transaction, tenant: TenantId) -> dict[str, Any]:
    found = halting.status(tx, tenant)
    offered = ["tenant", "workflow:", "agent:", "run:"]
    named = [
        who for each in found.switches for who in (each.engaged_by, each.release_asked_by) if who
    ]
    return {
        **found.to_json(),
        "people": subjects.names_of(tx, tenant, named),
        "offered": ["everything", *offered] if tenant == DEFAULT_TENANT else offered,
        "now": iso(tx.now),
    }
