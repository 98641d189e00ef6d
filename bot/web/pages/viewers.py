"""Who looks at a page: a person with a browser's session, and the proof that their forms are ours."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Form, Request

from bot.web.callers import Visitor, visitor_or_none
from bot.web.state import application_of
from engine.errors import EngineError, NotAllowed, Refused
from engine.ids import PersonId
from engine.services import keys
from engine.services.keys import Scope


class SignInNeeded(NotAllowed):
    """Nobody is signed in in this browser; the page leads to the sign-in page."""

    code = "not_signed_in"


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """A signed-in person. `csrf` belongs to their session, `subject` names them in journals."""

    id: PersonId
    name: str
    csrf: str
    subject: str
    operates: bool
    visitor: Visitor


async def viewer_or_none(request: Request) -> Viewer | None:
    """Who looks; None without a browser's session: keys and terminals have the API.

    Raises:
        Refused: `cross_site`, if another site made the browser send an unsafe request.
    """
    visitor = await visitor_or_none(request)
    if visitor is None or visitor.token is None or visitor.via != "cookie":
        return None
    caller = visitor.caller
    if caller.person is None:
        return None
    return Viewer(
        id=caller.person,
        name=caller.name,
        csrf=application_of(request).tokens.hashed("csrf", visitor.token),
        subject=caller.subject,
        operates=Scope.OPERATE in caller.scopes,
        visitor=visitor,
    )


async def viewer_if_known(request: Request) -> Viewer | None:
    """Who looks, on a page that refuses nobody: a wrong header, or a store that is away, is nobody."""
    try:
        return await viewer_or_none(request)
    except EngineError:
        return None


async def signed_in(request: Request) -> Viewer:
    """Who looks.

    Raises:
        SignInNeeded: if nobody is signed in.
    """
    viewer = await viewer_or_none(request)
    if viewer is None:
        raise SignInNeeded("Sign in to see this.")
    return viewer


SignedIn = Annotated[Viewer, Depends(signed_in)]


async def posting(request: Request, viewer: SignedIn, csrf: Annotated[str, Form()] = "") -> Viewer:
    """Who changes something, with a form that this very session was shown.

    Raises:
        SignInNeeded: if nobody is signed in. Refused: `bad_form`, if the form's token is wrong.
    """
    if not application_of(request).tokens.fits("csrf", viewer.visitor.token or "", csrf):
        raise Refused("This form is from another session. Reload the page.", code="bad_form")
    return viewer


Posting = Annotated[Viewer, Depends(posting)]


async def operating(viewer: SignedIn) -> Viewer:
    """An operator who looks.

    Raises:
        SignInNeeded: if nobody is signed in. NotAllowed: `missing_scope`, for everybody else.
    """
    keys.demand(viewer.visitor.caller, Scope.OPERATE)
    return viewer


async def operating_post(viewer: Posting) -> Viewer:
    """An operator who changes something; raises what `posting` and `operating` do."""
    return await operating(viewer)


Operating = Annotated[Viewer, Depends(operating)]
OperatingPost = Annotated[Viewer, Depends(operating_post)]
