"""Sessions as rows: who is signed in, found by the hash of what their cookie or bearer says."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Row, and_, bindparam, delete, exists, insert, select, tuple_, update

from engine.ids import PersonId, TenantId
from engine.store import belongings
from engine.store.database import Transaction
from engine.store.prepared import Prepared
from engine.store.statements import change
from engine.store.tables import members, people, sessions, tenants
from engine.store.tenants import is_active, shown_name

KEPT_FOR = timedelta(days=1)  # after its end, so that a look into the file can explain it


class SignInKind(StrEnum):
    """Where somebody signs in: a browser keeps a cookie, a terminal a bearer token."""

    BROWSER = "browser"
    TERMINAL = "terminal"


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRow:
    """One open session of an active person."""

    hash: str
    tenant: TenantId
    person: PersonId
    kind: SignInKind
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    is_open: bool = True  # whether its tenant is active
    is_use_due: bool = False  # its use should be noted, or it becomes idle; at most once a minute
    called: str = ""  # the person's name
    operates: bool = False
    house: str | None = None  # what the tenant is called, where there are several


def add(tx: Transaction, row: SessionRow) -> None:
    """Begin a session; those that ended more than a day ago are forgotten."""
    tx.connection.execute(delete(sessions).where(sessions.c.expires_at < tx.now - KEPT_FOR))
    tx.connection.execute(
        insert(sessions).values(
            hash=row.hash,
            tenant=row.tenant,
            person=row.person,
            kind=row.kind,
            created_at=row.created_at,
            seen_at=row.seen_at,
            expires_at=row.expires_at,
        )
    )


_OPERATES = exists().where(
    members.c.tenant == sessions.c.tenant,
    members.c.person == sessions.c.person,
    members.c.kind == "role",
    members.c.name == "operator",
)
# In one query: a crowd asks it a thousand times in a second.
_OPEN: Final = Prepared(
    select(
        sessions,
        is_active(sessions.c.tenant).label("is_open"),
        people.c.name.label("called"),
        _OPERATES.label("operates"),
        shown_name(sessions.c.tenant).label("house"),
    )
    .join(people, and_(people.c.tenant == sessions.c.tenant, people.c.id == sessions.c.person))
    .outerjoin(tenants, tenants.c.id == sessions.c.tenant)
    .where(
        sessions.c.hash == bindparam("hashed"),
        sessions.c.ended_at.is_(None),
        sessions.c.expires_at > bindparam("now"),
        people.c.is_active,
    )
)


def of_token(tx: Transaction, token: str) -> SessionRow | None:
    """`find`, under whichever of the server's secrets the session was begun."""
    found = (find(tx, hashed) for hashed in tx.tokens.hashes("session", token))
    return next((each for each in found if each is not None), None)


def find(tx: Transaction, hashed: str) -> SessionRow | None:
    """The session, if it was neither ended nor outlived and its person is active."""
    belongings.enter(tx, "session", hashed)
    found = _OPEN.rows(tx, {"hashed": hashed, "now": tx.now})
    return _session(found[0]) if found else None


def note_use(tx: Transaction, hashed: str) -> None:
    """Remember that the session was used now."""
    change(tx, sessions, {"hash": hashed, "ended_at": None}, {"seen_at": tx.now})


def end(tx: Transaction, hashed: str) -> bool:
    """Whether the session was open until now; it is no longer."""
    return change(tx, sessions, {"hash": hashed, "ended_at": None}, {"ended_at": tx.now}) == 1


def end_of_disabled(tx: Transaction, tenant: TenantId) -> int:
    """End every session of people who are disabled: being enabled again does not bring it back."""
    return _END_OF_DISABLED.run(tx, {"whose": tenant, "now": tx.now})


_END_OF_DISABLED: Final = Prepared(
    update(sessions)
    .where(
        sessions.c.ended_at.is_(None),
        tuple_(sessions.c.tenant, sessions.c.person).in_(
            select(people.c.tenant, people.c.id).where(
                people.c.tenant == bindparam("whose"), people.c.is_active.is_(False)
            )
        ),
    )
    .values(ended_at=bindparam("now"))
)


def _session(row: Row[Any]) -> SessionRow:
    return SessionRow(
        hash=row.hash,
        tenant=TenantId(row.tenant),
        person=PersonId(row.person),
        kind=SignInKind(row.kind),
        created_at=row.created_at,
        seen_at=row.seen_at,
        expires_at=row.expires_at,
        is_open=bool(row.is_open),
        called=row.called,
        operates=bool(row.operates),
        house=row.house,
    )
