"""API keys as rows, and the caller that a key, a person or this machine amounts to."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Literal

from sqlalchemy import Row, bindparam, insert, select, update

from engine.ids import KeyId, PersonId, TenantId
from engine.store import belongings
from engine.store.database import Transaction
from engine.store.prepared import Prepared
from engine.store.statements import change, find_among
from engine.store.tables import keys, tenants
from engine.store.tenants import is_active


class Scope(StrEnum):
    """What a key may do. None of them is voting: a key asks, people answer."""

    RUNS_START = "runs:start"
    APPROVALS_ASK = "approvals:ask"
    RECEIPTS = "receipts"
    PERMITS = "permits"
    SIGNALS = "signals"
    READ = "read"
    OPERATE = "operate"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRow:
    """One key, without anything from which it could be made."""

    id: KeyId
    tenant: TenantId
    name: str
    scopes: frozenset[Scope]
    owner: PersonId | None
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None
    made_by: frozenset[PersonId] = frozenset()  # people; nobody, where this machine made it


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who calls. `owner` is the person behind a key, who never counts for what it asks, nor do its `makers`."""

    tenant: TenantId
    key: KeyId | None
    person: PersonId | None
    scopes: frozenset[Scope]
    owner: PersonId | None
    name: str
    kind: Literal["key", "person", "local"]
    house: str | None = None  # what the tenant is called, for people, where there are several
    is_use_due: bool = False  # the key's last use should be noted; at most once a minute
    makers: frozenset[PersonId] = frozenset()  # whoever made the key
    hashed: str | None = field(default=None, repr=False)  # as a key of an older secret is kept anew

    @property
    def subject(self) -> str:
        """The caller in one word, for journals: `person:…`, `key:…` or `local`."""
        if self.person is not None:
            return f"person:{self.person}"
        return "local" if self.key is None else f"key:{self.key}"

    @property
    def behind(self) -> frozenset[PersonId]:
        """The people who never count on what this caller asks: itself, or its key's owner and makers."""
        return self.makers | {who for who in (self.person, self.owner) if who is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredKey:
    """A key together with the keyed hash that its secret must have."""

    row: KeyRow
    hash: str
    is_open: bool  # whether its tenant is active


def add(tx: Transaction, row: KeyRow, *, hashed: str) -> None:
    """Keep a new key."""
    tx.connection.execute(
        insert(keys).values(
            id=row.id,
            tenant=row.tenant,
            name=row.name,
            hash=hashed,
            scopes=" ".join(sorted(row.scopes)),
            owner=row.owner,
            created_at=row.created_at,
            expires_at=row.expires_at,
            made_by=" ".join(sorted(row.made_by)) or None,
        )
    )


_BY_ID: Final = Prepared(
    select(keys, is_active(keys.c.tenant).label("is_open"))
    .outerjoin(tenants, tenants.c.id == keys.c.tenant)
    .where(keys.c.id == bindparam("key"))
)


def by_id(tx: Transaction, key: KeyId) -> StoredKey | None:
    """The key that calls itself `key`, of whatever tenant: the tenant follows from it."""
    belongings.enter(tx, "key", key)
    found = _BY_ID.rows(tx, {"key": key})
    if not found:
        return None
    return StoredKey(row=_key(found[0]), hash=found[0].hash, is_open=found[0].is_open)


def several(tx: Transaction, tenant: TenantId, wanted: Iterable[KeyId]) -> list[KeyRow]:
    """Those of `wanted` that this tenant has, revoked ones included."""
    asked = {key for key in wanted if key.isprintable()}
    if not asked:
        return []
    rows = find_among(tx, keys, {"tenant": tenant}, among={"id": asked}, order_by=("id",))
    return [_key(row) for row in rows]


def makers(tx: Transaction, tenant: TenantId, subjects: Iterable[str]) -> frozenset[PersonId]:
    """The people who made those of `subjects` that are keys."""
    asked = [
        KeyId(subject.removeprefix("key:")) for subject in subjects if subject.startswith("key:")
    ]
    return frozenset(who for row in several(tx, tenant, asked) for who in row.made_by)


def listing(tx: Transaction, tenant: TenantId) -> list[KeyRow]:
    """Every key, revoked ones included, the newest first."""
    rows = tx.connection.execute(
        select(keys)
        .where(keys.c.tenant == tenant)
        .order_by(keys.c.created_at.desc(), keys.c.id.desc())
    )
    return [_key(row) for row in rows]


def note_use(tx: Transaction, key: KeyId, *, hashed: str | None = None) -> None:
    """Remember that the key was used now, and under which hash it is kept, if that is another one."""
    kept: dict[str, object] = {} if hashed is None else {"hash": hashed}
    change(tx, keys, {"id": key}, {"last_used_at": tx.now, **kept})


def revoke(tx: Transaction, tenant: TenantId, key: KeyId) -> bool:
    """Whether the key was open until now; it is no longer."""
    done = tx.connection.execute(
        update(keys)
        .where(keys.c.tenant == tenant, keys.c.id == key, keys.c.revoked_at.is_(None))
        .values(revoked_at=tx.now)
    )
    return done.rowcount == 1


def _key(row: Row[Any]) -> KeyRow:
    return KeyRow(
        id=KeyId(row.id),
        tenant=TenantId(row.tenant),
        name=row.name,
        scopes=frozenset(Scope(scope) for scope in row.scopes.split()),
        owner=row.owner,
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
        revoked_at=row.revoked_at,
        made_by=frozenset(PersonId(who) for who in (row.made_by or "").split()),
    )
