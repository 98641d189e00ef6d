"""Who belongs: the members of groups and roles, and whom approver expressions mean now."""

from collections.abc import Iterable, Sequence

from sqlalchemy import and_, bindparam, select

from engine.errors import Invalid
from engine.ids import PersonId, TenantId
from engine.rules.approvers import Approver, ApproverKind
from engine.store.database import Transaction
from engine.store.prepared import Prepared
from engine.store.statements import Among, find, find_among, find_one
from engine.store.tables import identities, members, people

_MEMBERSHIPS = {ApproverKind.GROUP: "group", ApproverKind.ROLE: "role"}
_IDENTITIES = {ApproverKind.EMAIL: "email", ApproverKind.SLACK: "slack"}

Key = tuple[str, str]

_MEMBER = and_(people.c.tenant == members.c.tenant, people.c.id == members.c.person)
_BELONGING = Among(
    select(members.c.kind, members.c.name, members.c.person, people.c.is_active)
    .join(people, _MEMBER)
    .where(members.c.tenant == bindparam("of")),
    members.c.name,
)
_KNOWN = Prepared(
    select(people.c.is_active, members.c.kind, members.c.name)
    .outerjoin(members, _MEMBER)
    .where(people.c.tenant == bindparam("of"), people.c.id == bindparam("who"))
)
_HOLDS = Prepared(
    select(members.c.person)
    .join(people, _MEMBER)
    .where(
        members.c.tenant == bindparam("of"),
        members.c.kind == "role",
        members.c.name == bindparam("role"),
        members.c.person == bindparam("holder"),
        people.c.is_active,
    )
)
_KNOWN_AS = Among(
    select(identities.c.kind, identities.c.value, identities.c.person, people.c.is_active)
    .join(people, and_(people.c.tenant == identities.c.tenant, people.c.id == identities.c.person))
    .where(identities.c.tenant == bindparam("of")),
    identities.c.value,
)


def members_of(tx: Transaction, tenant: TenantId, kind: str, name: str) -> frozenset[PersonId]:
    """The active members of the group or role `name`; nobody when there is no such thing."""
    return frozenset(_members(tx, tenant, {(kind, name)}).get((kind, name), ()))


def holds_role(tx: Transaction, tenant: TenantId, person: PersonId, role: str) -> bool:
    """Whether `person` is active and holds `role`."""
    return bool(_HOLDS.rows(tx, {"of": tenant, "holder": person, "role": role}))


def resolve(
    tx: Transaction,
    tenant: TenantId,
    approvers: Sequence[Approver],
    *,
    requester: PersonId | None,
    strict: bool = True,
) -> frozenset[PersonId]:
    """The active people whom `approvers` mean at this moment, each once.

    A group or role whose members were all disabled means nobody, and is no mistake. An agent as
    requester has no manager.

    Raises:
        Invalid: `unknown_approver`, if `strict` and an expression means nothing that is known; all
            such expressions are named at once.
    """
    found = _found(tx, tenant, approvers, requester)
    unknown = [approver.text() for approver in approvers if found.get(approver) is None]
    if strict and unknown:
        listed = ", ".join(dict.fromkeys(unknown))
        raise Invalid(
            f"Nobody is known as {listed}. Add them to signoff.toml, or name others.",
            code="unknown_approver",
        )
    return frozenset(person for persons in found.values() for person in persons or ())


def includes(
    tx: Transaction,
    tenant: TenantId,
    approvers: Sequence[Approver],
    person: PersonId,
    *,
    requester: PersonId | None,
) -> bool:
    """Whether `person` is among those whom `resolve` would give, without looking up the others."""
    known = _KNOWN.rows(tx, {"of": tenant, "who": person})
    if not known or not known[0].is_active:
        return False
    belongs = {(row.kind, row.name) for row in known}
    is_named = any(approver.kind in _IDENTITIES for approver in approvers)
    own = {"tenant": tenant, "person": person}
    identified = find(tx, identities, own) if is_named else ()
    known_as = {(row.kind, row.value) for row in identified}

    def means(approver: Approver) -> bool:
        match approver.kind:
            case ApproverKind.PERSON:
                return approver.value == person
            case ApproverKind.GROUP | ApproverKind.ROLE:
                return (_MEMBERSHIPS[approver.kind], approver.value) in belongs
            case ApproverKind.EMAIL | ApproverKind.SLACK:
                return (_IDENTITIES[approver.kind], approver.value) in known_as
            case ApproverKind.MANAGER_OF:
                return person in (_managers(tx, tenant, requester) or ())

    return any(means(approver) for approver in approvers)


def _found(
    tx: Transaction,
    tenant: TenantId,
    approvers: Iterable[Approver],
    requester: PersonId | None,
) -> dict[Approver, set[PersonId] | None]:
    asked = list(approvers)
    belonging = {(_MEMBERSHIPS[a.kind], a.value) for a in asked if a.kind in _MEMBERSHIPS}
    known_as = {(_IDENTITIES[a.kind], a.value) for a in asked if a.kind in _IDENTITIES}
    named = {PersonId(a.value) for a in asked if a.kind is ApproverKind.PERSON}
    managed = any(a.kind is ApproverKind.MANAGER_OF for a in asked)
    by_name = _active(tx, tenant, named)
    by_member = _members(tx, tenant, belonging)
    by_identity = _identified(tx, tenant, known_as)
    managers = _managers(tx, tenant, requester) if managed else None
    result: dict[Approver, set[PersonId] | None] = {}
    for approver in asked:
        match approver.kind:
            case ApproverKind.PERSON:
                result[approver] = by_name.get(PersonId(approver.value))
            case ApproverKind.GROUP | ApproverKind.ROLE:
                result[approver] = by_member.get((_MEMBERSHIPS[approver.kind], approver.value))
            case ApproverKind.EMAIL | ApproverKind.SLACK:
                result[approver] = by_identity.get((_IDENTITIES[approver.kind], approver.value))
            case ApproverKind.MANAGER_OF:
                result[approver] = managers
    return result


def _active(
    tx: Transaction, tenant: TenantId, wanted: set[PersonId]
) -> dict[PersonId, set[PersonId]]:
    if not wanted:
        return {}
    rows = find_among(tx, people, {"tenant": tenant}, among={"id": wanted})
    return {PersonId(row.id): {PersonId(row.id)} if row.is_active else set() for row in rows}


def _members(tx: Transaction, tenant: TenantId, wanted: set[Key]) -> dict[Key, set[PersonId]]:
    if not wanted:
        return {}
    found: dict[Key, set[PersonId]] = {}
    for row in _BELONGING.rows(tx, {name for _, name in wanted}, {"of": tenant}):
        if (row.kind, row.name) in wanted:
            persons = found.setdefault((row.kind, row.name), set())
            persons.update({PersonId(row.person)} if row.is_active else ())
    return found


def _identified(tx: Transaction, tenant: TenantId, wanted: set[Key]) -> dict[Key, set[PersonId]]:
    if not wanted:
        return {}
    return {
        (row.kind, row.value): {PersonId(row.person)} if row.is_active else set()
        for row in _KNOWN_AS.rows(tx, {value for _, value in wanted}, {"of": tenant})
        if (row.kind, row.value) in wanted
    }


def _managers(
    tx: Transaction, tenant: TenantId, requester: PersonId | None
) -> set[PersonId] | None:
    if requester is None:
        return None
    found = find_one(tx, people, {"tenant": tenant, "id": requester})
    manager = None if found is None else found.manager
    return None if manager is None else _active(tx, tenant, {PersonId(manager)}).get(manager)
