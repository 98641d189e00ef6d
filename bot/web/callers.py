"""Who calls: a key, a signed-in person, or somebody who holds this machine's own socket."""

import re
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyCookie, HTTPBearer
from starlette.requests import HTTPConnection

from bot.application import Application
from bot.web.local import LOCAL
from bot.web.origin import same_origin
from bot.web.state import Served, application_of, note_bad_try, shared_of
from engine.errors import NotAllowed, NotEligible, Refused, TenantUnclear
from engine.ids import PersonId
from engine.services import keys, sign_ins, tenants
from engine.services.keys import Caller, Scope
from engine.services.sign_ins import SessionRow, SignInKind
from engine.store.database import Transaction

_VISITOR: Final = "signoff.visitor"
_BEARER: Final = re.compile(r"(?i:bearer) +([\x21-\x7e]{1,400})")
_OPERATORS, _PEOPLES = frozenset(Scope), frozenset({Scope.READ})
_KEY_PREFIX: Final = "sk_"
TENANT_HEADER: Final = "signoff-tenant"
_BEARER_DOCS: Final = HTTPBearer(
    auto_error=False, description="An API key (`sk_…`), or the session of `signoff login`."
)
_COOKIE_DOCS: Final = APIKeyCookie(
    name="signoff", auto_error=False, description="A browser's session; `__Host-signoff` on https."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """A caller, what it came with, and the session to end when it signs out."""

    caller: Caller
    via: Literal["key", "bearer", "cookie", "local"]
    token: str | None = None
    session: SessionRow | None = None

    @property
    def channel(self) -> str:
        """The channel that a vote of this visitor comes through."""
        return "web" if self.via == "cookie" else "cli"


def cookie_name(application: Application) -> str:
    """What the session's cookie is called: on https no subdomain can set one of that name."""
    return "__Host-signoff" if application.is_secure else "signoff"


def is_signed_in(request: HTTPConnection) -> bool:
    """Whether this request was found to come from somebody known."""
    return request.scope.get(_VISITOR) is not None


async def visitor_or_none(request: Request) -> Visitor | None:
    """Who calls; None when nothing was presented. What is presented must be right.

    A header counts before the socket, and both before the cookie. A cookie that is no session any
    more is as good as none: the browser does not know that it ended.

    Raises:
        NotAllowed: `bad_key`, `bad_session`, if a header says something that opens nothing.
        Refused: `cross_site`, if another site made a browser send an unsafe request.
        TenantUnclear: if the tenant that is named is not the caller's, or this machine means one of several.
        TooManyTries: after ten wrong headers within a minute.
    """
    known: Visitor | None = request.scope.get(_VISITOR)
    if known is not None:
        return known
    application, wanted = application_of(request), named_tenant(request)
    said = request.headers.getlist("authorization")
    visitor: Visitor | None
    if said:
        visitor = await _by_header(request, application, said)
    elif request.scope.get(LOCAL):
        visitor = await _local(application, wanted)
    else:
        visitor = await _by_cookie(request, application)
    if visitor is not None and wanted is not None and wanted != visitor.caller.tenant:
        raise TenantUnclear(
            f"The header Signoff-Tenant says {wanted[:40]!a}, and what was presented belongs to "
            f"{visitor.caller.tenant}. Send one of the two.",
            code="tenant_contradicted",
        )
    request.scope[_VISITOR] = visitor
    return visitor


def named_tenant(request: HTTPConnection) -> str | None:
    """The tenant that the request names in its header.

    Raises:
        TenantUnclear: `tenant_contradicted`, if it names more than one.
    """
    named = request.headers.getlist(TENANT_HEADER)
    if len(named) > 1:
        raise TenantUnclear("Send the header Signoff-Tenant once.", code="tenant_contradicted")
    return named[0].strip() if named else None


async def scoped(request: Request) -> Application:
    """The application as the caller's tenant has it; nobody's, for whoever is refused anyway."""
    visitor = await visitor_or_none(request)
    if visitor is None:
        return application_of(request)
    return shared_of(request).by_tenant(visitor.caller.tenant)


Scoped = Annotated[Application, Depends(scoped)]


async def is_still_known(request: Request, scope: Scope) -> bool:
    """Whether who called is let in now as then, with what `scope` names: keys and sessions end."""
    before: Visitor | None = request.scope.pop(_VISITOR, None)
    if before is None:
        return False
    try:
        visitor = await visitor_or_none(request)
    except (NotAllowed, Refused):
        return False
    return (
        visitor is not None
        and visitor.caller.subject == before.caller.subject
        and visitor.caller.tenant == before.caller.tenant
        and scope in visitor.caller.scopes
    )


async def current_visitor(
    request: Request,
    _bearer: Annotated[object, Security(_BEARER_DOCS)],
    _cookie: Annotated[object, Security(_COOKIE_DOCS)],
) -> Visitor:
    """Who calls.

    Raises:
        NotAllowed: `not_signed_in`, if nobody does; and all that `visitor_or_none` raises.
    """
    visitor = await visitor_or_none(request)
    if visitor is None:
        raise NotAllowed(
            "Send an API key or a session as a bearer token, or sign in.", code="not_signed_in"
        )
    return visitor


CurrentVisitor = Annotated[Visitor, Depends(current_visitor)]


async def current_caller(visitor: CurrentVisitor) -> Caller:
    """Who calls, as the services know it."""
    return visitor.caller


async def current_person(visitor: CurrentVisitor) -> PersonId:
    """The person who calls, in person.

    Raises:
        NotEligible: for keys and for the local socket.
    """
    caller = visitor.caller
    if caller.person is None:
        what = "A key can ask, never vote" if caller.kind == "key" else "Nobody is signed in here"
        raise NotEligible(f"{what}. Sign in, or run `signoff login`.")
    return caller.person


def needs(scope: Scope) -> Callable[[Caller], Coroutine[Any, Any, Caller]]:
    """A dependency that gives the caller, if the caller may do what `scope` names."""

    async def demanded(caller: CurrentCaller) -> Caller:
        keys.demand(caller, scope)
        return caller

    return demanded


CurrentCaller = Annotated[Caller, Depends(current_caller)]
CurrentPerson = Annotated[PersonId, Depends(current_person)]
Reader = Annotated[Caller, Depends(needs(Scope.READ))]
Asker = Annotated[Caller, Depends(needs(Scope.APPROVALS_ASK))]
Effector = Annotated[Caller, Depends(needs(Scope.RECEIPTS))]
Spender = Annotated[Caller, Depends(needs(Scope.PERMITS))]
Signaller = Annotated[Caller, Depends(needs(Scope.SIGNALS))]
Starter = Annotated[Caller, Depends(needs(Scope.RUNS_START))]
Operator = Annotated[Caller, Depends(needs(Scope.OPERATE))]


async def only_from_here(request: Request, application: Served) -> None:
    """A dependency for pages that strangers post to, such as signing in.

    Raises:
        Refused: `cross_site`, if no page of ours sent it.
    """
    same_origin(request, base_url=application.base_url)


OnlyFromHere = Depends(only_from_here)


def subject(caller: Caller) -> str:
    """The caller in one word, for journals: `person:…`, `key:…` or `local`."""
    return caller.subject


async def _by_header(request: Request, application: Application, said: list[str]) -> Visitor:
    found = _BEARER.fullmatch(said[0]) if len(said) == 1 else None
    token = "" if found is None else found[1]
    try:
        if token.startswith(_KEY_PREFIX):
            return await _by_key(application, token)
        visitor = await _by_session(application, token, SignInKind.TERMINAL)
        if visitor is None:
            raise NotAllowed("This is no key, and no open session.", code="bad_session")
        return visitor
    except NotAllowed:
        note_bad_try(request)
        raise


async def _by_key(application: Application, token: str) -> Visitor:
    caller = await application.database.read(lambda tx: keys.authenticate(tx, token))
    if caller.is_use_due:
        caller = await application.database.write(lambda tx: keys.note_use(tx, caller))
    return Visitor(caller=caller, via="key")


async def _by_cookie(request: Request, application: Application) -> Visitor | None:
    token = request.cookies.get(cookie_name(application))
    if token is None:
        return None
    visitor = await _by_session(application, token, SignInKind.BROWSER)
    if visitor is not None:
        same_origin(request, base_url=application.base_url)
    return visitor


async def _by_session(application: Application, token: str, kind: SignInKind) -> Visitor | None:
    database = application.database
    found = await database.read(lambda tx: _person_behind(tx, token, kind))
    if found is None:
        return None
    session, caller = found
    if session.is_use_due:
        await database.write(lambda tx: sign_ins.note_use(tx, session))
    via: Literal["bearer", "cookie"] = "bearer" if kind is SignInKind.TERMINAL else "cookie"
    return Visitor(caller=caller, via=via, token=token, session=session)


def _person_behind(
    tx: Transaction, token: str, kind: SignInKind
) -> tuple[SessionRow, Caller] | None:
    session = sign_ins.session_of(tx, token)
    if session is None or session.kind is not kind:
        return None
    return session, Caller(
        tenant=session.tenant,
        key=None,
        person=session.person,
        scopes=_OPERATORS if session.operates else _PEOPLES,
        owner=session.person,
        name=session.called,
        kind="person",
        house=session.house,
    )


async def _local(application: Application, wanted: str | None) -> Visitor:
    tenant = await application.database.read(lambda tx: tenants.choose(tx, wanted))
    caller = Caller(
        tenant=tenant,
        key=None,
        person=None,
        scopes=frozenset(Scope),
        owner=None,
        name="This machine",
        kind="local",
    )
    return Visitor(caller=caller, via="local")
