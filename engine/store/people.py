"""People as rows: who they are, how they are reached, and by what they are recognised."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Row, Select, and_, func, select

from engine.errors import NotFound
from engine.ids import PersonId, TenantId
from engine.store.database import Transaction
from engine.store.tables import identities, people

IdentityKind = Literal["slack", "email"]

_SLACK = (
    select(func.min(identities.c.value))
    .where(
        identities.c.tenant == people.c.tenant,
        identities.c.person == people.c.id,
        identities.c.kind == "slack",
    )
    .correlate(people)
    .scalar_subquery()
    .label("slack")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One person. `slack` is `T…/U…`: of several, the first in the alphabet."""

    id: PersonId
    tenant: TenantId
    name: str
    email: str | None
    slack: str | None
    timezone: str | None
    is_active: bool


def find(tx: Transaction, tenant: TenantId, person: PersonId) -> Person:
    """The person, active or not.

    Raises:
        NotFound: if this tenant has no such person.
    """
    found = several(tx, tenant, [person])
    if not found:
        raise NotFound(f"There is no person {person!a}.")
    return found[0]


def by_identity(tx: Transaction, tenant: TenantId, kind: IdentityKind, value: str) -> Person | None:
    """The active person whom `value` identifies; None for strangers and disabled people.

    An email address is compared in lower case, a Slack identity exactly.
    """
    if not value.isprintable():  # nor can the database be asked for half a surrogate pair
        return None
    known = and_(
        identities.c.tenant == people.c.tenant,
        identities.c.person == people.c.id,
        identities.c.kind == kind,
        identities.c.value == (value.lower() if kind == "email" else value),
    )
    row = tx.connection.execute(
        _query(tenant).join(identities, known).where(people.c.is_active)
    ).one_or_none()
    return None if row is None else _person(row)


def by_email(tx: Transaction, tenant: TenantId, email: str) -> Person | None:
    """The active person with this address; None for everybody else."""
    return by_identity(tx, tenant, "email", email.strip())


def called(tx: Transaction, tenant: TenantId, person_or_email: str) -> Person | None:
    """The active person of this address, or of this id."""
    if "@" in person_or_email:
        return by_email(tx, tenant, person_or_email)
    named = several(tx, tenant, [PersonId(person_or_email.removeprefix("person:"))])
    return next((person for person in named if person.is_active), None)


def several(tx: Transaction, tenant: TenantId, wanted: Iterable[PersonId]) -> list[Person]:
    """Those of `wanted` that exist, active or not, in the order of their ids."""
    asked = {person for person in wanted if person.isprintable()}
    if not asked:
        return []
    rows = tx.connection.execute(_query(tenant).where(people.c.id.in_(asked)).order_by(people.c.id))
    return [_person(row) for row in rows]


def listing(tx: Transaction, tenant: TenantId) -> list[Person]:
    """Everybody, the disabled included, in the order of their ids."""
    return [_person(row) for row in tx.connection.execute(_query(tenant).order_by(people.c.id))]


def _query(tenant: TenantId) -> Select[*tuple[object, ...]]:
    return select(
        people.c.id,
        people.c.tenant,
        people.c.name,
        people.c.email,
        people.c.timezone,
        people.c.is_active,
        _SLACK,
    ).where(people.c.tenant == tenant)


def _person(row: Row[*tuple[object, ...]]) -> Person:
    return Person(
        id=PersonId(row.id),
        tenant=TenantId(row.tenant),
        name=row.name,
        email=row.email,
        slack=row.slack,
        timezone=row.timezone,
        is_active=row.is_active,
    )
