"""Signing in and out: a one-time link to one's own mailbox, and the button behind it."""

import re
from typing import Annotated, Final

from fastapi import APIRouter, Form, Query, Request, Response

from bot.application import Application
from bot.web import problems, sign_in_links
from bot.web.callers import OnlyFromHere, cookie_name
from bot.web.pages.glances import is_glance, nothing
from bot.web.pages.landing import START, landing
from bot.web.pages.notices import PageNotice, drop_cookie, keep_cookie
from bot.web.pages.showing import Look, PageRoute, go, show, show_problem
from bot.web.pages.viewers import Posting, viewer_if_known
from bot.web.places import place_of
from bot.web.state import Served, note_bad_try, shared_of
from engine.errors import NotFound
from engine.services import sign_ins
from engine.services.sign_ins import LINK_FOR, SESSION_FOR, Session, SignIn
from engine.store.database import Transaction

_EMAIL: Final = re.compile(r"[^\s@<>()\[\],;:\"\\]{1,64}@[^\s@<>()\[\],;:\"\\]{1,190}")

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/sign-in")
async def sign_in_page(
    request: Request,
    application: Served,
    wanted: Annotated[str | None, Query(alias="next")] = None,
) -> Response:
    """Ask for an address. Where to go afterwards is kept for this browser, if it is a page of ours."""
    if await viewer_if_known(request) is not None:
        return go(request, landing(wanted))
    page = show(request, "web/sign_in.html", Look(), sent=False, email="", error=None)
    if landing(wanted) != START:
        keep_cookie(page, application, _next(application), landing(wanted), keep_for=LINK_FOR)
    return page


@router.post("/sign-in", dependencies=[OnlyFromHere])
async def ask_for_link(
    request: Request, application: Served, email: Annotated[str, Form()] = ""
) -> Response:
    """Send a link to this address, if it is somebody's here; the answer is the same for every address."""
    shared_of(request).asked_links.spend(place_of(request, application.trusted_proxies))
    address = email.strip()
    if not _EMAIL.fullmatch(address):
        error = "That is not an email address."
        look = Look(status=422)
        return show(request, "web/sign_in.html", look, sent=False, email=address[:254], error=error)
    is_mailed = "email" in application.channels
    links = await application.database.write(lambda tx: _links(tx, address, is_mailed=is_mailed))
    for link in () if is_mailed else links:
        sign_in_links.say_here(application, link)
    return show(request, "web/sign_in.html", Look(), sent=True, email=address, error=None)


@router.head("/sign-in/{token}")
@router.options("/sign-in/{token}")
async def glance(token: str) -> Response:
    """Nothing to see without opening it."""
    return nothing()


@router.get("/sign-in/{token}")
async def opened_link(request: Request, application: Served, token: str) -> Response:
    """Show whom the link signs in, and for a terminal the code to compare; nothing is used up."""
    if is_glance(request):
        return nothing()
    try:
        view = await application.database.read(lambda tx: sign_ins.view(tx, token))
    except NotFound as error:
        return _worthless(request, error)
    action, person = f"/sign-in/{token}", {"name": view.person.name}
    context = {"action": action, "person": person, "code": view.code, "done": False}
    return show(request, "web/sign_in_confirm.html", Look(), **context)


@router.post("/sign-in/{token}", dependencies=[OnlyFromHere])
async def confirm(request: Request, application: Served, token: str) -> Response:
    """Use the link: begin this browser's session, or let the terminal have its own."""
    before = request.cookies.get(cookie_name(application))

    def used(tx: Transaction) -> tuple[str, Session | None]:
        name = sign_ins.view(tx, token).person.name
        session = sign_ins.confirm(tx, token)
        if session is not None and before is not None:
            sign_ins.end(tx, before)  # one browser, one session
        return name, session

    try:
        name, session = await application.database.write(used)
    except NotFound as error:
        return _worthless(request, error)
    if session is None:
        context = {"action": "", "person": {"name": name}, "code": None, "done": True}
        return show(request, "web/sign_in_confirm.html", Look(), **context)
    response = go(request, landing(request.cookies.get(_next(application))))
    drop_cookie(response, application, _next(application))
    keep_cookie(
        response, application, cookie_name(application), session.token, keep_for=SESSION_FOR
    )
    return response


@router.post("/sign-out")
async def sign_out(request: Request, viewer: Posting, application: Served) -> Response:
    """End this browser's session at once."""
    token = viewer.visitor.token or ""
    await application.database.write(lambda tx: sign_ins.end(tx, token))
    response = go(request, "/sign-in", PageNotice(tone="good", text="You are signed out."))
    drop_cookie(response, application, cookie_name(application))
    return response


def _links(tx: Transaction, address: str, *, is_mailed: bool) -> list[SignIn]:
    links: list[SignIn] = []
    for tenant in sign_ins.homes_of(tx, address):
        tx.act_for(tenant)
        link = sign_ins.ask_link(tx, tenant, address)
        links += [] if link is None else [link]
    for link in links if is_mailed else ():
        sign_in_links.mail(tx, link)
    return links


def _worthless(request: Request, error: NotFound) -> Response:
    note_bad_try(request)
    problem = problems.of_engine(error, signed_in=False)
    following = {"url": "/sign-in", "label": "Ask for a new link"}
    return show_problem(request, problem, following=following)


def _next(application: Application) -> str:
    return f"{cookie_name(application)}-next"
