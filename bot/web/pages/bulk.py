"""Answering several approvals at once: each vote stands for itself, and says what became of it."""

from dataclasses import replace
from typing import Annotated, Final

from fastapi import APIRouter, Form, Request, Response

from bot.application import Application
from bot.web.callers import Scoped
from bot.web.pages.answers import VOTE_WITHIN, Answer, Said
from bot.web.pages.notices import PageNotice
from bot.web.pages.showing import Look, PageRoute, go, show
from bot.web.pages.viewers import Posting, Viewer
from engine.errors import EngineError, Invalid
from engine.rules.tally import Choice
from engine.services import approvals, votes

AT_ONCE_MAX: Final = 100

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.post("/approvals/bulk")
async def answer_several(
    request: Request,
    viewer: Posting,
    application: Scoped,
    answer: Said,
    item: Annotated[list[str] | None, Form()] = None,
) -> Response:
    """Give the same answer to everything that was selected, one vote after the other."""
    selected = list(dict.fromkeys(item or ()))
    if not selected:
        return go(request, "/approvals", PageNotice(tone="warn", text="Nothing was selected."))
    if len(selected) > AT_ONCE_MAX or answer.choice not in {Choice.APPROVE, Choice.REJECT}:
        raise Invalid(
            f"Up to {AT_ONCE_MAX} can be approved or rejected at once.", code="bad_selection"
        )
    results = [await _answered(application, viewer, one, answer) for one in selected]
    look = Look(viewer=viewer, here="inbox")
    return show(request, "web/bulk_results.html", look, results=results, choice=answer.choice)


async def _answered(
    application: Application, viewer: Viewer, item: str, answer: Answer
) -> dict[str, object]:
    approval, _, digest = item.partition(" ")
    ballot = replace(answer, digest=digest).ballot(application.tenant, approval, viewer.id)
    result: dict[str, object] = {"id": approval, "title": approval, "recorded": False}
    try:
        shown = await application.database.read(
            lambda tx: approvals.picture(tx, application.tenant, approval)
        )
        result["title"] = shown.title
        if shown.risk == "high":
            return {**result, "message": "Its risk is high: open it, read it, and answer there."}
        receipt = await votes.vote(application.database, ballot, within=VOTE_WITHIN)
    except EngineError as error:
        return {**result, "message": str(error)}
    return {**result, "recorded": receipt.recorded, "message": receipt.message}
