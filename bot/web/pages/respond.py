"""The page behind a personal link in a mail: looking changes nothing, and its button decides once."""

from collections.abc import Mapping
from typing import Annotated, Final

from fastapi import APIRouter, Form, Query, Request, Response

from bot.web import problems
from bot.web.callers import OnlyFromHere
from bot.web.form_fields import Sent
from bot.web.pages.answers import CHOICES, VOTE_WITHIN, Answer, Said
from bot.web.pages.glances import is_glance, nothing
from bot.web.pages.notices import PageNotice, Tone
from bot.web.pages.opened import Opened, decide, is_nonce, nonce, opened
from bot.web.pages.showing import Look, PageRoute, show
from bot.web.state import Served, application_of, note_bad_try
from engine.clock import iso
from engine.errors import (
    AlreadyDecided,
    Conflict,
    EngineError,
    NotEligible,
    NotFound,
    TooLate,
    Unavailable,
)
from engine.rules.states import ApprovalStatus
from engine.rules.tally import Choice
from engine.services.links import LinkState

NOBODY: Final = (
    "It was taken back, replaced, or never existed. Open the link in the newest message."
)
EDITED: Final = "The request was edited after this message was sent, so this link decides nothing."
TAKEN_BACK: Final = "This link was taken back, so it decides nothing."

_SIGN_IN: Final[Mapping[str, object]] = {
    "status": 403,
    "title": "Sign in first",
    "code": "sign_in_needed",
    "detail": "The risk of this request is high, so a link in a mail is not enough. "
    "Sign in, look at it, and decide there.",
    "hint": "",
}
_ENDED: Final[Mapping[ApprovalStatus, str]] = {
    ApprovalStatus.EXPIRED: "The time for this is over.",
    ApprovalStatus.CANCELLED: "This was withdrawn.",
    ApprovalStatus.CHANGES_REQUESTED: "This was sent back for changes.",
}

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.head("/respond/{token}")
@router.options("/respond/{token}")
async def glance(token: str) -> Response:
    """Nothing to see without opening it."""
    return nothing()


@router.get("/respond/{token}")
async def respond_page(
    request: Request, application: Served, token: str, choice: Annotated[str, Query()] = ""
) -> Response:
    """Exactly what would be decided, with the link's choice marked. It is shown as often as wanted."""
    if is_glance(request):
        return nothing()
    try:
        found = await application.database.read(lambda tx: opened(tx, token))
    except NotFound:
        return _unknown(request)
    marked = choice if choice in set(Choice) else ""
    return _page(request, token, found, Sent(choice=marked), Look())


@router.post("/respond/{token}", dependencies=[OnlyFromHere])
async def respond(
    request: Request,
    application: Served,
    token: str,
    answer: Said,
    sent: Annotated[str, Form(alias="nonce")] = "",
) -> Response:
    """Decide, once for each time the page was opened, and say what became of it."""
    database = application.database
    try:
        if not is_nonce(application, token, sent):
            raise Conflict(
                "This page was open for too long. Look again, and press again.", code="page_expired"
            )
        receipt = await database.write(
            lambda tx: decide(tx, token, sent, answer), within=VOTE_WITHIN
        )
        receipt.raise_refusal()
        found = await database.read(lambda tx: opened(tx, token))
    except NotFound:
        return _unknown(request)
    except EngineError as error:
        return await _refused(request, token, answer, error)
    return _done(request, found, receipt.message, Look(), choice=answer.choice)


async def _refused(request: Request, token: str, answer: Answer, error: EngineError) -> Response:
    try:
        found = await application_of(request).database.read(lambda tx: opened(tx, token))
    except NotFound:
        return _unknown(request)
    status = problems.of_engine(error, signed_in=True).status
    match error:
        case AlreadyDecided() | TooLate() | NotEligible():
            return _done(request, found, str(error), Look(status=status))
        case _:
            tone: Tone = "warn" if isinstance(error, Unavailable) else "bad"
            look = Look(status=status, notice=PageNotice(tone=tone, text=str(error)))
            return _page(request, token, found, answer.refused(error), look)


def _page(request: Request, token: str, found: Opened, sent: Sent, look: Look) -> Response:
    """The form, where the link may decide; else the words for why it does not."""
    match found.link.state:
        case LinkState.REVOKED:
            return show(request, "web/respond_gone.html", Look(status=410), message=TAKEN_BACK)
        case LinkState.SUPERSEDED:
            return show(request, "web/respond_gone.html", Look(status=410), message=EDITED)
        case LinkState.ENDED:
            ended = _ENDED.get(found.picture.status, "This is decided already.")
            return _done(request, found, ended, look)
        case LinkState.LIVE:
            pass
    if found.needs_session:
        page = {"url": f"/approvals/{found.link.approval}", "label": "Sign in and look at it"}
        return show(request, "web/error.html", Look(status=403), problem=_SIGN_IN, next=page)
    if not found.vote.may:
        return _done(request, found, found.vote.why, look)
    application = application_of(request)
    return show(
        request,
        "web/respond.html",
        look,
        action=f"/respond/{token}",
        person={"id": found.person.id, "name": found.person.name},
        approval=found.picture.to_json(),
        people=found.picture.names,
        choices=CHOICES,
        choice=sent.choice,
        sent=sent,
        nonce=nonce(application, token),
        now=iso(application.clock.now()),
    )


def _done(
    request: Request, found: Opened, message: str, look: Look, *, choice: Choice | None = None
) -> Response:
    """How it stands; with a `choice`, that is what was recorded."""
    return show(
        request,
        "web/respond_done.html",
        look,
        person={"id": found.person.id, "name": found.person.name},
        approval=found.picture.to_json(),
        people=found.picture.names,
        recorded=choice is not None,
        choice=choice,
        message=message,
        now=iso(application_of(request).clock.now()),
    )


def _unknown(request: Request) -> Response:
    # One answer for whatever is no link, so that nothing can be learned by trying.
    note_bad_try(request)
    return show(request, "web/respond_gone.html", Look(status=404), message=NOBODY)
