"""API keys: made, shown once, recognised and revoked. A key may ask; it never votes."""

import dataclasses
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from engine.digest import same
from engine.errors import Invalid, NotAllowed, NotFound
from engine.ids import KeyId, PersonId, TenantId
from engine.store import audit, keys, people
from engine.store.database import Transaction
from engine.store.keys import Caller, KeyRow, Scope
from engine.store.tenants import at_rest

__all__ = [
    "Caller",
    "KeyRow",
    "NewKey",
    "Scope",
    "authenticate",
    "create",
    "demand",
    "listing",
    "note_use",
    "revoke",
]

LIVES_FOR: Final = timedelta(days=90)  # unless said otherwise
LIVES_AT_MOST: Final = timedelta(days=366)
USE_NOTED_EVERY: Final = timedelta(minutes=1)
NAME_CHARS_MAX: Final = 100

_PREFIX: Final = "key_"
_PRESENTED: Final = re.compile(r"sk_([A-Za-z0-9]{1,64})_([A-Za-z0-9_-]{1,200})")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """A key that is wanted. Its `owner` answers for it; neither they nor its `makers` count for what it asks."""

    name: str
    scopes: Iterable[str]
    owner: PersonId | None = None
    expires_at: datetime | None = None  # None: in 90 days
    makers: frozenset[PersonId] = frozenset()


def create(tx: Transaction, tenant: TenantId, new: NewKey, *, by: str) -> tuple[KeyRow, str]:
    """Make a key; the text beside it is the key itself, kept nowhere and never shown again.

    `by` says who made it, for the audit chain.

    Raises:
        Invalid: `unknown_scope`, `bad_key_name` (also for what a person is called), `bad_expiry`
            for the past and for more than a year, `unknown_owner` for nobody and for disabled people.
    """
    row = KeyRow(
        id=KeyId(tx.ids.new("key")),
        tenant=tenant,
        name=_name(tx, tenant, new.name),
        scopes=_scopes(new.scopes),
        owner=_owner(tx, tenant, new.owner),
        created_at=tx.now,
        expires_at=_expiry(tx.now, new.expires_at),
        last_used_at=None,
        revoked_at=None,
        made_by=new.makers,
    )
    presented = f"sk_{row.id.removeprefix(_PREFIX)}_{tx.ids.secret()}"
    keys.add(tx, row, hashed=tx.tokens.hashed("key", presented))
    entry = {"key": row.id, "name": row.name, "scopes": sorted(row.scopes), "owner": row.owner}
    audit.append(tx, tenant, "key.created", {**entry, "by": by})
    return row, presented


def authenticate(tx: Transaction, presented: str) -> Caller:
    """Who calls with this key. Reads only: when `is_use_due`, let `note_use` write it down.

    Raises:
        NotAllowed: `bad_key`, if it is no key, or one that was revoked, has expired, or whose owner
            was disabled; `tenant_inactive`, if its tenant rests. Only who holds the real key is told which.
    """
    shape = _PRESENTED.fullmatch(presented)
    stored = None if shape is None else keys.by_id(tx, KeyId(_PREFIX + shape[1]))
    # Hashed and compared in every case, so that the time taken does not tell whether the id exists.
    hashes = tx.tokens.hashes("key", "" if shape is None else presented)
    kept = "" if stored is None else stored.hash
    fits = [same(kept, hashed) for hashed in hashes]
    if stored is None or not any(fits):
        raise NotAllowed("This API key is not valid.", code="bad_key")
    row = stored.row
    if not stored.is_open:
        raise at_rest(row.tenant)
    if row.revoked_at is not None:
        raise NotAllowed(f"The API key {row.name!r} was revoked.", code="bad_key")
    if row.expires_at is not None and row.expires_at <= tx.now:
        raise NotAllowed(
            f"The API key {row.name!r} has expired. Make one with `signoff keys create`.",
            code="bad_key",
        )
    if row.owner is not None and not _is_active(tx, row.tenant, row.owner):
        raise NotAllowed(
            f"Nobody answers for the API key {row.name!r} any more: its owner was disabled.",
            code="bad_key",
        )
    return Caller(
        tenant=row.tenant,
        key=row.id,
        person=None,
        scopes=row.scopes,
        owner=row.owner,
        name=row.name,
        kind="key",
        is_use_due=not fits[0]
        or row.last_used_at is None
        or row.last_used_at <= tx.now - USE_NOTED_EVERY,
        makers=row.made_by,
        hashed=None if fits[0] else hashes[0],
    )


def note_use(tx: Transaction, caller: Caller) -> Caller:
    """Write down that the caller's key was used now; nothing for callers without a key.

    One that was kept under an older secret is kept under the first one from then on.
    """
    if caller.key is not None:
        tx.act_for(caller.tenant)
        keys.note_use(tx, caller.key, hashed=caller.hashed)
    return dataclasses.replace(caller, is_use_due=False, hashed=None)


def demand(caller: Caller, scope: Scope) -> None:
    """Return if the caller may do what `scope` names.

    Raises:
        NotAllowed: `missing_scope`, otherwise.
    """
    if scope not in caller.scopes:
        if caller.person is not None:
            raise NotAllowed(
                "Only operators may do this. They are listed under [roles] in signoff.toml.",
                code="missing_scope",
            )
        raise NotAllowed(
            f"{caller.name} may not do this: it needs the scope {scope}.", code="missing_scope"
        )


def listing(tx: Transaction, tenant: TenantId) -> list[KeyRow]:
    """Every key, revoked ones included, the newest first; nothing from which one could be made."""
    return keys.listing(tx, tenant)


def revoke(tx: Transaction, tenant: TenantId, key: KeyId, *, by: str) -> KeyRow:
    """End the key at once. Revoking it again changes nothing.

    Raises:
        NotFound: if this tenant has no such key.
    """
    if keys.revoke(tx, tenant, key):
        audit.append(tx, tenant, "key.revoked", {"key": key, "by": by})
    found = keys.several(tx, tenant, [key])
    if not found:
        raise NotFound(f"There is no key {key!a}.")
    return found[0]


def _name(tx: Transaction, tenant: TenantId, name: str) -> str:
    if not name.strip() or len(name) > NAME_CHARS_MAX or not name.isprintable():
        raise Invalid(
            f"A key's name is 1 to {NAME_CHARS_MAX} characters on one line.", code="bad_key_name"
        )
    # What it asks is shown under its name, which must not be taken for somebody's word.
    if _alike(name) in {_alike(person.name) for person in people.listing(tx, tenant)}:
        raise Invalid(
            f"{name!a} is what a person is called. Name what uses it.", code="bad_key_name"
        )
    return name.strip()


def _alike(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def _scopes(scopes: Iterable[str]) -> frozenset[Scope]:
    wanted, known = list(scopes), set(Scope)
    unknown = [scope for scope in wanted if scope not in known]
    if unknown or not wanted:
        said = f"{', '.join(map(ascii, unknown))} is no scope." if unknown else "No scope is given."
        raise Invalid(f"{said} Possible are {', '.join(Scope)}.", code="unknown_scope")
    return frozenset(Scope(scope) for scope in wanted)


def _owner(tx: Transaction, tenant: TenantId, owner: PersonId | None) -> PersonId | None:
    if owner is not None and not _is_active(tx, tenant, owner):
        raise Invalid(f"{owner!a} is no active person here.", code="unknown_owner")
    return owner


def _is_active(tx: Transaction, tenant: TenantId, person: PersonId) -> bool:
    return any(found.is_active for found in people.several(tx, tenant, [person]))


def _expiry(now: datetime, wanted: datetime | None) -> datetime:
    expires_at = wanted or now + LIVES_FOR
    if not now < expires_at <= now + LIVES_AT_MOST:
        raise Invalid("A key expires in the future, within a year.", code="bad_expiry")
    return expires_at
