"""What `signoff.toml` says of people, as rows: written where it differs, removed where gone."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from sqlalchemy import and_, bindparam, delete, select, text

from engine.digest import canonical
from engine.errors import Conflict
from engine.ids import PersonId, TenantId
from engine.store.budgets import BudgetRow
from engine.store.database import Transaction
from engine.store.prepared import Prepared
from engine.store.statements import add, find, put
from engine.store.tables import identities, members, people, routings

ORIGIN = "config"  # what came from the file; what the API added has another origin, and stays


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedPerson:
    """One person as the file has them: `email` in lower case, `slack` as `T…/U…`."""

    id: PersonId
    name: str
    email: str | None = None
    slack: str | None = None
    timezone: str | None = None
    hours: str | None = None
    manager: PersonId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """Everybody in the file, what they belong to, and where approvals go, already checked."""

    people: tuple[ListedPerson, ...] = ()
    groups: Mapping[str, frozenset[PersonId]] = field(
        default_factory=dict[str, frozenset[PersonId]]
    )
    roles: Mapping[str, frozenset[PersonId]] = field(default_factory=dict[str, frozenset[PersonId]])
    routes: Mapping[str, Mapping[str, object]] = field(
        default_factory=dict[str, Mapping[str, object]]
    )
    budgets: tuple[BudgetRow, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What one writing changed, as texts that name things and hold no secret."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not (self.added or self.changed or self.removed)

    def __add__(self, other: "Difference") -> "Difference":
        return Difference(
            added=self.added + other.added,
            changed=self.changed + other.changed,
            removed=self.removed + other.removed,
        )


def without(listed: Directory, gone: Collection[PersonId]) -> Directory:
    """What `listed` says of everybody else."""
    if not gone:
        return listed
    return replace(
        listed,
        people=tuple(each for each in listed.people if each.id not in gone),
        groups={name: members - set(gone) for name, members in listed.groups.items()},
        roles={name: members - set(gone) for name, members in listed.roles.items()},
    )


def write_people(tx: Transaction, tenant: TenantId, listed: tuple[ListedPerson, ...]) -> Difference:
    """Bring people in line; who is gone from the file is disabled, and never deleted.

    Somebody whom the API added under the same name belongs to the file from then on.
    """
    have = {row.id: row._asdict() for row in find(tx, people, {"tenant": tenant})}
    fresh: list[dict[str, object]] = []
    added: list[str] = []
    changed: list[str] = []
    for person in listed:
        values = _values(tenant, person)
        if person.id not in have:
            fresh.append(values)
            added.append(f"person:{person.id}")
        elif have[person.id] != values:
            put(tx, people, {"tenant": tenant, "id": person.id}, values)
            changed.append(f"person:{person.id}")
    if fresh:
        add(tx, people, fresh)
    kept = {person.id for person in listed}
    gone = sorted(
        id
        for id, row in have.items()
        if row["origin"] == ORIGIN and row["is_active"] and id not in kept
    )
    for id in gone:
        put(tx, people, {"tenant": tenant, "id": id}, {"is_active": False})
    return Difference(
        added=tuple(added), changed=tuple(changed), removed=tuple(f"person:{id}" for id in gone)
    )


def write_identities(
    tx: Transaction, tenant: TenantId, listed: tuple[ListedPerson, ...]
) -> Difference:
    """Bring identities in line. One that a disabled person held may pass to somebody else.

    What changed names whose they are and not what they are: it is kept for ever.

    Raises:
        Conflict: `identity_taken`, if an active person got one by other means than the file.
    """
    wanted = {
        (kind, value): person.id
        for person in listed
        for kind, value in (("email", person.email), ("slack", person.slack))
        if value is not None
    }
    kept: set[tuple[str, str]] = set()
    freed: dict[tuple[str, str], str] = {}
    for row in _HELD.rows(tx, {"whose": tenant}):
        key = (row.kind, row.value)
        if wanted.get(key) == row.person:
            kept.add(key)
        elif row.origin == ORIGIN or (key in wanted and not row.is_active):
            freed[key] = row.person
        elif key in wanted:
            raise Conflict(
                f"{row.kind}:{row.value} belongs to {row.person}, who is not in signoff.toml. "
                f"Give {wanted[key]} another one, or disable {row.person}.",
                code="identity_taken",
            )
    for kind, value in freed:
        _FREE.run(tx, {"whose": tenant, "kind": kind, "value": value})
    new = [key for key in wanted if key not in kept]
    rows = [
        {"tenant": tenant, "kind": kind, "value": value, "person": person, "origin": ORIGIN}
        for (kind, value), person in wanted.items()
        if (kind, value) not in kept
    ]
    if rows:
        add(tx, identities, rows)
    return Difference(
        added=tuple(f"{key[0]} of {wanted[key]}" for key in new if key not in freed),
        changed=tuple(f"{key[0]} of {wanted[key]}" for key in new if key in freed),
        removed=tuple(f"{key[0]} of {freed[key]}" for key in freed if key not in wanted),
    )


def write_members(tx: Transaction, tenant: TenantId, directory: Directory) -> Difference:
    """Bring groups and roles in line; members whom the API added stay."""
    wanted = {
        (kind, name, person)
        for kind, named in (("group", directory.groups), ("role", directory.roles))
        for name, persons in named.items()
        for person in persons
    }
    rows = find(tx, members, {"tenant": tenant})
    have = {(row.kind, row.name, PersonId(row.person)) for row in rows}
    ours = {(row.kind, row.name, PersonId(row.person)) for row in rows if row.origin == ORIGIN}
    new, gone = sorted(wanted - have), sorted(ours - wanted)
    if new:
        fresh = [
            {"tenant": tenant, "kind": kind, "name": name, "person": person, "origin": ORIGIN}
            for kind, name, person in new
        ]
        add(tx, members, fresh)
    for kind, name, person in gone:
        _LEAVE.run(tx, {"whose": tenant, "kind": kind, "name": name, "person": person})
    return Difference(
        added=tuple(f"{kind}:{name}/{person}" for kind, name, person in new),
        removed=tuple(f"{kind}:{name}/{person}" for kind, name, person in gone),
    )


def write_routings(
    tx: Transaction, tenant: TenantId, routes: Mapping[str, Mapping[str, object]]
) -> Difference:
    """Bring routes in line; a name that the API added stays, unless the file has it too."""
    wanted = {name: canonical(routing).decode() for name, routing in routes.items()}
    rows = find(tx, routings, {"tenant": tenant})
    have = {row.name: (row.routing, row.origin) for row in rows}
    changed = sorted(
        name for name, text in wanted.items() if name in have and have[name] != (text, ORIGIN)
    )
    gone = sorted(
        name for name, (_, origin) in have.items() if origin == ORIGIN and name not in wanted
    )
    new = sorted(wanted.keys() - have.keys())
    for name in (*gone, *changed):
        _UNROUTE.run(tx, {"whose": tenant, "name": name})
    fresh = [
        {"tenant": tenant, "name": name, "routing": wanted[name], "origin": ORIGIN}
        for name in (*new, *changed)
    ]
    if fresh:
        add(tx, routings, fresh)
    return Difference(
        added=tuple(f"routes.{name}" for name in new),
        changed=tuple(f"routes.{name}" for name in changed),
        removed=tuple(f"routes.{name}" for name in gone),
    )


def count_anew(tx: Transaction) -> None:
    """Let PostgreSQL know how many there are now; until it does, it looks everybody up for everybody."""
    if tx.connection.dialect.name == "postgresql":
        tx.connection.execute(text("ANALYZE people, identities, members"))


def _values(tenant: TenantId, person: ListedPerson) -> dict[str, object]:
    return {
        "tenant": tenant,
        "id": person.id,
        "name": person.name,
        "email": person.email,
        "timezone": person.timezone,
        "hours": person.hours,
        "manager": person.manager,
        "is_active": True,
        "origin": ORIGIN,
    }


_HELD: Final = Prepared(
    select(identities, people.c.is_active)
    .join(
        people,
        and_(people.c.tenant == identities.c.tenant, people.c.id == identities.c.person),
    )
    .where(identities.c.tenant == bindparam("whose"))
)
_FREE: Final = Prepared(
    delete(identities).where(
        identities.c.tenant == bindparam("whose"),
        identities.c.kind == bindparam("kind"),
        identities.c.value == bindparam("value"),
    )
)
_LEAVE: Final = Prepared(
    delete(members).where(
        members.c.tenant == bindparam("whose"),
        members.c.kind == bindparam("kind"),
        members.c.name == bindparam("name"),
        members.c.person == bindparam("person"),
    )
)
_UNROUTE: Final = Prepared(
    delete(routings).where(
        routings.c.tenant == bindparam("whose"), routings.c.name == bindparam("name")
    )
)
