"""Signing in: a one-time link to a person's own mailbox, the session it begins, and the way out."""

import dataclasses
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from engine.digest import tagged
from engine.errors import NotFound
from engine.ids import PersonId, TenantId
from engine.store import audit, electorates, people, sessions, sign_ins, tenants
from engine.store.belongings import homes_of
from engine.store.database import Transaction
from engine.store.links import as_minted
from engine.store.people import Person
from engine.store.sessions import SessionRow, SignInKind
from engine.store.sign_ins import CONFIRMED, SignInRow

__all__ = [
    "Session",
    "SessionRow",
    "SignIn",
    "SignInKind",
    "SignInView",
    "Terminal",
    "ask_link",
    "begin_terminal",
    "confirm",
    "end",
    "first_operator_link",
    "homes_of",
    "note_use",
    "poll_terminal",
    "session_of",
    "view",
]

LINK_FOR: Final = timedelta(minutes=10)
COLLECT_WITHIN: Final = timedelta(minutes=1)  # after the link's end: confirmed in its last second
ASKED_PER_HOUR: Final = 5
IDLE_FOR: Final = timedelta(minutes=30)  # a browser that nobody uses
SESSION_FOR: Final = timedelta(hours=12)
USE_NOTED_EVERY: Final = timedelta(minutes=1)

_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{1,200}")
_CODE_LETTERS: Final = (
    "BCDFGHJKLMNPQRST"  # sixteen that are not mistaken for each other, nor make words
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """A link that was asked for. The token goes into `/sign-in/…` and to nobody but `person`."""

    token: str = dataclasses.field(repr=False)
    person: Person
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInView:
    """What the page behind a link shows before anything is done. `code` is also on the terminal."""

    person: Person
    kind: SignInKind
    code: str | None
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminal:
    """A terminal that waits: it keeps the secret and shows the code; the link goes by mail."""

    device_secret: str = dataclasses.field(repr=False)
    code: str
    links: tuple[SignIn, ...]  # one for each tenant in which this is somebody
    expires_at: datetime

    @property
    def link(self) -> SignIn | None:
        """The first of them."""
        return self.links[0] if self.links else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A session that has just begun. The token is its cookie or bearer, and is kept nowhere."""

    token: str = dataclasses.field(repr=False)
    person: PersonId
    kind: SignInKind
    expires_at: datetime


def ask_link(tx: Transaction, tenant: TenantId, email: str) -> SignIn | None:
    """A one-time link for the person with this address, good for ten minutes.

    None for a stranger, and for the sixth within an hour: then nothing is sent, and whoever asked
    is told the same as always.
    """
    person = people.by_email(tx, tenant, email)
    return None if person is None else _ask(tx, person, SignInKind.BROWSER)


def begin_terminal(tx: Transaction, person_or_email: str, *, homes: Iterable[TenantId]) -> Terminal:
    """Let a terminal wait for a session of this person in one of `homes`, who opens a link and compares the code.

    There is no link for a stranger, nor for the sixth within an hour; the terminal is told the same
    and waits in vain. Of several, the one that is opened first says whose session it becomes.
    """
    secret = tx.ids.secret()
    device_hash = tx.tokens.hashed("device", secret)
    links: list[SignIn] = []
    for each in homes:
        tx.act_for(each)
        person = people.called(tx, each, person_or_email)
        if person is not None:
            link = _ask(tx, person, SignInKind.TERMINAL, device_hash=device_hash)
            links += [] if link is None else [link]
    return Terminal(
        device_secret=secret,
        code=_code(device_hash),
        links=tuple(links),
        expires_at=tx.now + LINK_FOR,
    )


def first_operator_link(tx: Transaction, tenant: TenantId) -> SignIn | None:
    """While nobody ever signed in: a link for the first operator, in place of any before it.

    The first is the first by id among those who hold the role `operator`. None when there is none,
    or as soon as anybody has signed in.
    """
    if sign_ins.ever_confirmed(tx, tenant):
        return None
    operators = sorted(electorates.members_of(tx, tenant, "role", "operator"))
    if not operators:
        return None
    sign_ins.forget_unused(tx, tenant, operators[0])
    person = people.find(tx, tenant, operators[0])
    return _ask(tx, person, SignInKind.BROWSER)


def view(tx: Transaction, token: str) -> SignInView:
    """What the link would do; looking changes nothing.

    Raises:
        NotFound: for every token that would not do anything, without saying why.
    """
    row = _waiting(tx, token)
    return SignInView(
        person=people.find(tx, row.tenant, row.person),
        kind=row.kind,
        code=None if row.device_hash is None else _code(row.device_hash),
        expires_at=row.expires_at,
    )


def confirm(tx: Transaction, token: str) -> Session | None:
    """Use the link, once. A browser's begins a session; a terminal's, the terminal collects: None.

    Raises:
        NotFound: for every token that is unknown, used or too old, or whose person was disabled;
            which of these is not said.
    """
    row = _waiting(tx, token)
    if not sign_ins.use(tx, row.hash):
        raise _ended()
    audit.append(tx, row.tenant, CONFIRMED, {"person": row.person, "kind": row.kind})
    match row.kind:
        case SignInKind.BROWSER:
            return _begin(tx, row)
        case SignInKind.TERMINAL:
            return None


def poll_terminal(tx: Transaction, device_secret: str) -> Session | None:
    """The terminal's session, once its link was confirmed; handed out a single time.

    None while it waits, and for ever when it waits in vain: the terminal gives up by itself at its
    `expires_at`.
    """
    if not _TOKEN.fullmatch(device_secret):
        return None
    found = sign_ins.confirmed(tx, device_secret, expiring_after=tx.now - COLLECT_WITHIN)
    chosen = min(found, key=lambda row: row.used_at or tx.now, default=None)
    if chosen is None:
        return None
    tenants.check_active(tx, chosen.tenant)
    is_ours = [_collected(tx, row) for row in found]
    tx.act_for(chosen.tenant)
    return _begin(tx, chosen) if all(is_ours) else None


def _collected(tx: Transaction, row: SignInRow) -> bool:
    tx.act_for(row.tenant)
    return sign_ins.collect(tx, row.hash)


def session_of(tx: Transaction, token: str) -> SessionRow | None:
    """The open session behind a cookie or bearer; None for all else.

    A session ends after twelve hours, a browser's after thirty minutes without use, and at once
    when its person is disabled. Reads only: when `is_use_due`, let `note_use` write it down.
    """
    row = _open(tx, token)
    if row is not None and not row.is_open:
        raise tenants.at_rest(row.tenant)
    return row


def _open(tx: Transaction, token: str) -> SessionRow | None:
    if not _TOKEN.fullmatch(token):
        return None
    row = sessions.of_token(tx, token)
    unused_for = timedelta() if row is None else tx.now - row.seen_at
    if row is None or (row.kind is SignInKind.BROWSER and unused_for >= IDLE_FOR):
        return None
    return dataclasses.replace(row, is_use_due=unused_for >= USE_NOTED_EVERY)


def note_use(tx: Transaction, session: SessionRow) -> None:
    """Write down that the session was used now, which keeps a browser's from becoming idle."""
    tx.act_for(session.tenant)
    sessions.note_use(tx, session.hash)


def end(tx: Transaction, token: str) -> None:
    """Sign out. Doing so again, or with what never was a session, changes nothing."""
    session = _open(tx, token)
    if session is not None and sessions.end(tx, session.hash):
        said = {"person": session.person, "kind": session.kind}
        audit.append(tx, session.tenant, "session.ended", said)


def _ask(
    tx: Transaction, person: Person, kind: SignInKind, *, device_hash: str | None = None
) -> SignIn | None:
    an_hour_ago = tx.now - timedelta(hours=1)
    # Counted apart, so that asking for a terminal's link again and again locks nobody out of the web.
    asked = sign_ins.asked_since(
        tx, person.tenant, person.id, kind=kind, expiring_after=an_hour_ago + LINK_FOR
    )
    if asked >= ASKED_PER_HOUR:
        return None
    token = tx.ids.secret()
    row = SignInRow(
        hash=tx.tokens.hashed("sign-in", token),
        tenant=person.tenant,
        person=person.id,
        kind=kind,
        device_hash=device_hash,
        expires_at=tx.now + LINK_FOR,
        used_at=None,
    )
    sign_ins.add(tx, row)
    audit.append(tx, person.tenant, "sign_in.asked", {"person": person.id, "kind": kind})
    return SignIn(token=token, person=person, expires_at=row.expires_at)


def _begin(tx: Transaction, asked: SignInRow) -> Session:
    token = tx.ids.secret()
    row = SessionRow(
        hash=tx.tokens.hashed("session", token),
        tenant=asked.tenant,
        person=asked.person,
        kind=asked.kind,
        created_at=tx.now,
        seen_at=tx.now,
        expires_at=tx.now + SESSION_FOR,
    )
    sessions.add(tx, row)
    return Session(token=token, person=row.person, kind=row.kind, expires_at=row.expires_at)


def _waiting(tx: Transaction, token: str) -> SignInRow:
    bare = as_minted(token)
    row = None if bare is None else sign_ins.waiting(tx, bare)
    if row is None:
        raise _ended()
    tenants.check_active(tx, row.tenant)
    return row


def _ended() -> NotFound:
    return NotFound("This sign-in link is not valid any more. Ask for a new one.")


def _code(device_hash: str) -> str:
    # Of the hash alone, so that both sides show the same while the server's secret changes.
    digits = tagged("signoff/terminal-code/v1", device_hash.encode()).partition(":")[2][:8]
    letters = "".join(_CODE_LETTERS[int(digit, 16)] for digit in digits)
    return f"{letters[:4]}-{letters[4:]}"
