"""Runs as pages: what they did step by step, their journal, and what an operator can do about one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Final, assert_never

from fastapi import APIRouter, Form, Query, Request, Response
from pydantic import BaseModel, Field

from bot.web.callers import Scoped
from bot.web.pages.definitions import outline_of
from bot.web.pages.notices import PageNotice
from bot.web.pages.paging import FETCHED, Cursor, Id, asked_text, cut
from bot.web.pages.showing import Look, PageRoute, go, show, show_part
from bot.web.pages.viewers import OperatingPost, SignedIn, Viewer
from engine.clock import iso
from engine.errors import Conflict, Invalid
from engine.ids import RunId, TenantId
from engine.rules.json_objects import NotExact, read_value
from engine.rules.states import TERMINAL, RunStatus, WaitingReason
from engine.services import adopting, effects, halting, rolling_back, runs
from engine.services.effects import Outcome, Settlement
from engine.services.rolling_back import Order
from engine.store.database import Transaction
from engine.store.rollbacks import said
from engine.store.runs import RunRow

ENTRIES_MAX: Final = 1_000  # the API has the rest
REASON_CHARS_MAX: Final = 500
RESULT_CHARS_MAX: Final = 100_000
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


class Verb(StrEnum):
    """What an operator can do about a run."""

    RESUME = "resume"
    RELEASE = "release"
    RETRY = "retry"
    SKIP = "skip"
    TAKE_OVER = "take-over"
    ROLLBACK = "rollback"
    HAPPENED = "happened"
    DID_NOT_HAPPEN = "did_not_happen"
    PAUSE = "pause"
    CANCEL = "cancel"
    KILL = "kill"


LABELS: Final[Mapping[Verb, str]] = {
    Verb.ROLLBACK: "Roll back the run",
    Verb.TAKE_OVER: "Take over the run",
    Verb.HAPPENED: "It happened",
    Verb.DID_NOT_HAPPEN: "It did not happen: do it again",
}


class OperatingForm(BaseModel):
    """Why; where a rollback goes back to, of which empty is the last approved checkpoint; and what a
    step returns that happened after all, as JSON, of which empty is nothing.
    """

    reason: str = ""
    to: Annotated[str, Field(max_length=200)] = ""
    result: Annotated[str, Field(max_length=RESULT_CHARS_MAX)] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """Who does it, why, where a rollback goes back to, and what a step returned, as JSON."""

    by: str
    reason: str
    to: str | None
    result: str | None


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
    why = " ".join(form.reason.replace("\0", " ").split())
    if not 0 < len(why) <= REASON_CHARS_MAX:
        raise Invalid(
            f"Give a reason of up to {REASON_CHARS_MAX} characters; it is kept.", code="bad_reason"
        )
    to, result = form.to.strip() or None, form.result.strip() or None
    given, run = Said(by=viewer.subject, reason=why, to=to, result=result), RunId(id)
    try:
        notice = await application.database.write(
            lambda tx: _do(tx, application.tenant, run, verb, given)
        )
    except (Conflict, Invalid) as error:
        notice = PageNotice(tone="bad", text=str(error))
    return go(request, f"/runs/{id}", notice)


def _do(tx: Transaction, tenant: TenantId, run: RunId, verb: Verb, said_so: Said) -> PageNotice:
    by, reason, to = said_so.by, said_so.reason, said_so.to
    match verb:
        case Verb.RETRY:
            runs.retry(tx, tenant, run, by=by, reason=reason)
            text = "It is tried again."
        case Verb.RELEASE:
            runs.release(tx, tenant, run, by=by, reason=reason)
            text = "It goes on."
        case Verb.RESUME:
            runs.resume(tx, tenant, run, by=by, reason=reason)
            text = "It goes on from where it stood."
        case Verb.SKIP:
            left = rolling_back.skip(tx, tenant, run, by=by, reason=reason)
            text = f"{left} is left as it is; undoing goes on."
        case Verb.TAKE_OVER:
            left = rolling_back.take_over(tx, tenant, run, by=by, reason=reason)
            text = f"{left} was undone by hand; undoing goes on."
        case Verb.ROLLBACK:
            order = Order(reason=reason, by=by, to=to)
            text = f"It goes back to {said(rolling_back.begin(tx, tenant, run, order).name)}."
        case Verb.HAPPENED | Verb.DID_NOT_HAPPEN:
            effects.settle(tx, tenant, run, _settlement(said_so, is_there=verb is Verb.HAPPENED))
            text = "It is not done again." if verb is Verb.HAPPENED else "It is done once more."
        case Verb.PAUSE | Verb.CANCEL | Verb.KILL:
            text = _stop(tx, tenant, run, verb, said_so)
        case _:
            assert_never(verb)
    return PageNotice(tone="good", text=text)


def _settlement(said_so: Said, *, is_there: bool) -> Settlement:
    if said_so.result is not None and not is_there:
        raise Invalid("What did not happen returned nothing: leave that empty.", code="bad_result")
    try:
        result = None if said_so.result is None else read_value(said_so.result)
    except NotExact as error:
        raise Invalid(
            f"What the step returned could not be read: {error}. A text is written in quotes.",
            code="bad_result",
        ) from None
    outcome: Outcome = "happened" if is_there else "did_not_happen"
    return Settlement(outcome=outcome, result=result, by=said_so.by, reason=said_so.reason)


def _stop(tx: Transaction, tenant: TenantId, run: RunId, verb: Verb, said_so: Said) -> str:
    by, reason = said_so.by, said_so.reason
    if verb is Verb.PAUSE:
        halting.pause(tx, tenant, run, by=by, reason=reason)
        return "It is held until somebody resumes it."
    if verb is Verb.KILL:
        return _ended("Killed", halting.kill(tx, tenant, run, by=by, reason=reason))
    return _ended("Cancelled", runs.cancel(tx, tenant, run, by=by, reason=reason))


def _ended(word: str, stays: Sequence[str]) -> str:
    return f"{word}. What was done stays done: {', '.join(stays)}." if stays else f"{word}."


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
        **runs.moments(row),
    }


def _whole(tx: Transaction, tenant: TenantId, run: RunId, viewer: Viewer) -> dict[str, Any]:
    picture = runs.picture(tx, tenant, run)
    entries = runs.entries(tx, tenant, run, after=-1, limit=ENTRIES_MAX)
    return {
        "run": picture.to_json(),
        "journal": [entry.to_json() for entry in entries],
        "outline": outline_of(tx, picture.row),
        "verbs": _verbs(picture.row) if viewer.operates else [],
        "labels": LABELS,
        "now": iso(tx.now),
    }


def _verbs(row: RunRow) -> list[Verb]:
    # The first is what the Enter key does: never the one that ends something.
    if row.status in {RunStatus.FAILED, RunStatus.CANCELLED, RunStatus.KILLED}:
        return [Verb.ROLLBACK]
    if row.status in TERMINAL:
        return []
    ends = [Verb.CANCEL, Verb.KILL]
    if row.status is not RunStatus.ROLLING_BACK:
        ends.append(Verb.ROLLBACK)
    if row.status is RunStatus.PAUSED:
        return [Verb.RESUME, *ends]
    match row.reason:
        case WaitingReason.STUCK:
            return [Verb.RETRY, Verb.SKIP, Verb.TAKE_OVER, *ends]
        case WaitingReason.CHANGED:
            return [Verb.RETRY, *ends]
        case WaitingReason.RECONCILE:
            return [Verb.HAPPENED, Verb.DID_NOT_HAPPEN, *ends]
        case WaitingReason.QUARANTINED:
            return [Verb.RELEASE, *ends]
        case _:
            return [Verb.PAUSE, *ends]
