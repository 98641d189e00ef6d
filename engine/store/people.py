"""People as rows: who they are, how they are reached, and by what they are recognised."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from sqlalchemy import Row, and_, bindparam, func, select

from engine.errors import NotFound
from engine.ids import PersonId, TenantId
from engine.store.database import Transaction
from engine.store.prepared import Prepared
from engine.store.statements import Among
from engine.store.tables import identities, people

ASKED_MAX: Final = 1_000  # people in one question
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


_QUERY = (
    select(
        people.c.id,
        people.c.tenant,
        people.c.name,
        people.c.email,
        people.c.timezone,
        people.c.is_active,
        _SLACK,
    )
    .where(people.c.tenant == bindparam("of"))
    .order_by(people.c.id)
)
_ALL = Prepared(_QUERY)
_SEVERAL = Among(_QUERY, people.c.id)
_KNOWN_BY = identities.alias("known_by")  # the query itself looks for another identity of theirs
_BY_IDENTITY = Prepared(
    _QUERY.join(
        _KNOWN_BY,
        and_(
            _KNOWN_BY.c.tenant == people.c.tenant,
            _KNOWN_BY.c.person == people.c.id,
            _KNOWN_BY.c.kind == bindparam("kind"),
            _KNOWN_BY.c.value == bindparam("value"),
        ),
    ).where(people.c.is_active)
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
    known = value.lower() if kind == "email" else value
    found = _BY_IDENTITY.rows(tx, {"of": tenant, "kind": kind, "value": known})
    return _person(found[0]) if found else None


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
    listed = sorted(asked)
    parts = [listed[at : at + ASKED_MAX] for at in range(0, len(listed), ASKED_MAX)]
    return [_person(row) for part in parts for row in _SEVERAL.rows(tx, part, {"of": tenant})]


def listing(tx: Transaction, tenant: TenantId) -> list[Person]:
    """Everybody, the disabled included, in the order of their ids."""
    return [_person(row) for row in _ALL.rows(tx, {"of": tenant})]


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
