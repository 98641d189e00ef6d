"""Asked-for sign-ins as rows: a link that waits for its person, and the terminal it may be for."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import (
    ColumnElement,
    Row,
    and_,
    bindparam,
    delete,
    exists,
    func,
    insert,
    select,
    tuple_,
    update,
)

from engine.ids import PersonId, TenantId
from engine.store import belongings
from engine.store.database import Transaction
from engine.store.prepared import Prepared
from engine.store.sessions import SignInKind
from engine.store.tables import audit, people, sign_ins

CONFIRMED = "sign_in.confirmed"  # the audit kind by which a tenant's first sign-in is known
KEPT_FOR = timedelta(hours=1)  # after it was asked for: how far back askings are counted


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInRow:
    """One asked-for sign-in of an active person."""

    hash: str
    tenant: TenantId
    person: PersonId
    kind: SignInKind
    device_hash: str | None
    expires_at: datetime
    used_at: datetime | None


def add(tx: Transaction, row: SignInRow) -> None:
    """Keep an asked-for sign-in, and forget those that nobody counts any more."""
    tx.connection.execute(delete(sign_ins).where(sign_ins.c.expires_at <= tx.now - KEPT_FOR))
    tx.connection.execute(
        insert(sign_ins).values(
            hash=row.hash,
            tenant=row.tenant,
            person=row.person,
            kind=row.kind,
            device_hash=row.device_hash,
            expires_at=row.expires_at,
        )
    )


def asked_since(
    tx: Transaction,
    tenant: TenantId,
    person: PersonId,
    *,
    kind: SignInKind,
    expiring_after: datetime,
) -> int:
    """How many sign-ins of `person` of one kind expire after a moment."""
    return tx.connection.execute(
        select(func.count()).where(
            sign_ins.c.tenant == tenant,
            sign_ins.c.person == person,
            sign_ins.c.kind == kind,
            sign_ins.c.expires_at > expiring_after,
        )
    ).scalar_one()


def waiting(tx: Transaction, token: str) -> SignInRow | None:
    """The sign-in behind a link, if it is unused and not too old and its person is active."""
    found = (_waiting(tx, hashed) for hashed in tx.tokens.hashes("sign-in", token))
    return next((each for each in found if each is not None), None)


def confirmed(tx: Transaction, device_secret: str, *, expiring_after: datetime) -> list[SignInRow]:
    """The confirmed sign-ins that a terminal waits for, until they are collected: one in each tenant."""
    found: list[SignInRow] = []
    for hashed in tx.tokens.hashes("device", device_secret):
        for tenant in belongings.tenants_of(tx, "device", hashed):
            tx.act_for(tenant)
            row = _one(
                tx,
                sign_ins.c.device_hash == hashed,
                sign_ins.c.used_at.is_not(None),
                sign_ins.c.expires_at > expiring_after,
            )
            found += [] if row is None else [row]
    return found


def use(tx: Transaction, hashed: str) -> bool:
    """Whether this call is the one that uses the link."""
    done = tx.connection.execute(
        update(sign_ins)
        .where(sign_ins.c.hash == hashed, sign_ins.c.used_at.is_(None))
        .values(used_at=tx.now)
    )
    return done.rowcount == 1


def collect(tx: Transaction, hashed: str) -> bool:
    """Whether this call is the one that takes the terminal's session."""
    done = tx.connection.execute(
        update(sign_ins)
        .where(sign_ins.c.hash == hashed, sign_ins.c.device_hash.is_not(None))
        .values(device_hash=None)
    )
    return done.rowcount == 1


def forget_unused(tx: Transaction, tenant: TenantId, person: PersonId) -> None:
    """Make every link of `person` that was not used yet worthless."""
    tx.connection.execute(
        delete(sign_ins).where(
            sign_ins.c.tenant == tenant,
            sign_ins.c.person == person,
            sign_ins.c.used_at.is_(None),
        )
    )


def forget_disabled(tx: Transaction, tenant: TenantId) -> None:
    """Make every link of disabled people worthless, for the day they are enabled again."""
    _FORGET_DISABLED.run(tx, {"whose": tenant})


_FORGET_DISABLED: Final = Prepared(
    delete(sign_ins).where(
        tuple_(sign_ins.c.tenant, sign_ins.c.person).in_(
            select(people.c.tenant, people.c.id).where(
                people.c.tenant == bindparam("whose"), people.c.is_active.is_(False)
            )
        )
    )
)


def ever_confirmed(tx: Transaction, tenant: TenantId) -> bool:
    """Whether anybody of this tenant ever signed in."""
    known = exists().where(audit.c.tenant == tenant, audit.c.kind == CONFIRMED)
    return bool(tx.connection.execute(select(known)).scalar())


def _waiting(tx: Transaction, hashed: str) -> SignInRow | None:
    belongings.enter(tx, "sign_in", hashed)
    return _one(
        tx, sign_ins.c.hash == hashed, sign_ins.c.used_at.is_(None), sign_ins.c.expires_at > tx.now
    )


def _one(tx: Transaction, *conditions: ColumnElement[bool]) -> SignInRow | None:
    owner = and_(people.c.tenant == sign_ins.c.tenant, people.c.id == sign_ins.c.person)
    row = tx.connection.execute(
        select(sign_ins).join(people, owner).where(people.c.is_active, *conditions)
    ).one_or_none()
    return None if row is None else _sign_in(row)


def _sign_in(row: Row[*tuple[object, ...]]) -> SignInRow:
    return SignInRow(
        hash=row.hash,
        tenant=TenantId(row.tenant),
        person=PersonId(row.person),
        kind=SignInKind(row.kind),
        device_hash=row.device_hash,
        expires_at=row.expires_at,
        used_at=row.used_at,
    )
