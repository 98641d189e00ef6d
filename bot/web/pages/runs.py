"""Runs as pages: what they did step by step, their journal, and what an operator can do about one."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Form, Query, Request, Response

from bot.web.callers import Scoped
from bot.web.pages.definitions import outline_of
from bot.web.pages.notices import PageNotice
from bot.web.pages.paging import FETCHED, Cursor, Id, asked_text, cut
from bot.web.pages.showing import Look, PageRoute, go, show, show_part
from bot.web.pages.verbs import LABELS, OperatingForm, Verb, done, said_by, verbs_for
from bot.web.pages.viewers import OperatingPost, SignedIn, Viewer
from engine.clock import iso
from engine.errors import Conflict, Invalid
from engine.ids import RunId, TenantId
from engine.rules.states import RunStatus
from engine.services import adopting, runs
from engine.store.database import Transaction
from engine.store.runs import RunRow

ENTRIES_MAX: Final = 1_000  # the API has the rest
ALL: Final = "all"
TABS: Final[Mapping[str, str]] = {
    ALL: "All",
    RunStatus.WAITING: "Waiting",
    RunStatus.RUNNING: "Running",
    RunStatus.ROLLING_BACK: "Rolling back",
    RunStatus.PAUSED: "Paused",
    RunStatus.COMPLETED: "Completed",
    RunStatus.FAILED: "Failed",
    RunStatus.ROLLED_BACK: "Rolled back",
    RunStatus.CANCELLED: "Cancelled",
    RunStatus.KILLED: "Killed",
}


router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/runs")
async def run_list(
    request: Request,
    viewer: SignedIn,
    application: Scoped,
    view: Annotated[str, Query()] = ALL,
    q: Annotated[str, Query()] = "",
    cursor: Cursor = None,
) -> Response:
    """Runs, newest first, in one state or all, by a part of their workflow's name or their id."""
    known, wanted = view if view in TABS else ALL, asked_text(q)

    def listed(tx: Transaction) -> dict[str, Any]:
        return _listed(tx, application.tenant, known, q=wanted, cursor=cursor)

    context = await application.database.read(listed)
    return show(request, "web/runs.html", Look(viewer=viewer, here="runs"), **context)


@router.get("/runs/{id}")
async def run_page(request: Request, viewer: SignedIn, application: Scoped, id: Id) -> Response:
    """One run with its steps and its journal."""
    context = await application.database.read(
        lambda tx: _whole(tx, application.tenant, RunId(id), viewer)
    )
    return show(request, "web/run.html", Look(viewer=viewer, here="runs"), **context)


@router.get("/runs/{id}/live")
async def run_live(request: Request, viewer: SignedIn, application: Scoped, id: Id) -> Response:
    """What changes while a run is looked at."""
    picture = await application.database.read(
        lambda tx: runs.picture(tx, application.tenant, RunId(id))
    )
    context = {"run": picture.to_json(), "now": iso(application.clock.now())}
    return show_part(request, "web/partials/run_live.html", viewer, **context)


@router.post("/runs/{id}/{verb}")
async def operate(
    request: Request,
    viewer: OperatingPost,
    application: Scoped,
    id: Id,
    verb: Verb,
    form: Annotated[OperatingForm, Form()],
) -> Response:
    """Do what the operator says, and keep the reason in the journal."""
    given, run = said_by(viewer.subject, form), RunId(id)
    try:
        text = await application.database.write(
            lambda tx: done(tx, application.tenant, run, verb, given)
        )
    except (Conflict, Invalid) as error:
        return go(request, f"/runs/{id}", PageNotice(tone="bad", text=str(error)))
    return go(request, f"/runs/{id}", PageNotice(tone="good", text=text))


def _listed(
    tx: Transaction, tenant: TenantId, view: str, *, q: str, cursor: str | None
) -> dict[str, Any]:
    status = None if view == ALL else view

    before = None if cursor is None else RunId(cursor)
    fetched = runs.page(tx, tenant, status=status, text=q or None, before=before, limit=FETCHED)
    found, following = cut(fetched)
    held_up = adopting.held_up(tx, found)
    counts = runs.counts(tx, tenant)
    tabs = [
        {
            "key": key,
            "label": label,
            "count": sum(counts.values()) if key == ALL else counts.get(key, 0),
        }
        for key, label in TABS.items()
    ]
    return {
        "runs": [_line(row, held_up.get(row.id)) for row in found],
        "tabs": tabs,
        "view": view,
        "q": q,
        "next": following,
        "now": iso(tx.now),
    }


def _line(row: RunRow, held_up: str | None) -> dict[str, object]:
    return {
        "id": row.id,
        "workflow": row.workflow,
        "status": row.status,
        "waiting_for": runs.waiting_for(row),
        "held_up": held_up,
        "sandbox": row.sandbox is not None,
        **runs.moments(row),
    }


def _whole(tx: Transaction, tenant: TenantId, run: RunId, viewer: Viewer) -> dict[str, Any]:
    picture = runs.picture(tx, tenant, run)
    entries = runs.entries(tx, tenant, run, after=-1, limit=ENTRIES_MAX)
    return {
        "run": picture.to_json(),
        "journal": [entry.to_json() for entry in entries],
        "outline": outline_of(tx, picture.row),
        "verbs": verbs_for(picture) if viewer.operates else [],
        "labels": LABELS,
        "now": iso(tx.now),
    }
