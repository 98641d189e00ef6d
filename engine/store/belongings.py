"""Whose something is, before anybody can act for them: found by what a caller presents, and nothing else of it."""

from typing import Any, Final, Literal

from sqlalchemy import BindParameter, Select, and_, bindparam, select, text

from engine.ids import TenantId
from engine.store.database import Transaction
from engine.store.tables import approvals, identities, keys, links, people, sessions, sign_ins
from engine.store.tenants import listing

Kind = Literal["key", "session", "sign_in", "device", "link", "approval", "email", "person"]

_VALUE: Final[BindParameter[str]] = bindparam("value")
_LOOKS: Final[dict[str, Select[Any]]] = {
    "key": select(keys.c.tenant).where(keys.c.id == _VALUE),
    "session": select(sessions.c.tenant).where(sessions.c.hash == _VALUE),
    "sign_in": select(sign_ins.c.tenant).where(sign_ins.c.hash == _VALUE),
    "device": select(sign_ins.c.tenant).where(sign_ins.c.device_hash == _VALUE),
    "link": select(links.c.tenant).where(links.c.hash == _VALUE),
    "approval": select(approvals.c.tenant).where(approvals.c.id == _VALUE),
    "email": select(identities.c.tenant).where(
        and_(identities.c.kind == "email", identities.c.value == _VALUE)
    ),
    "person": select(people.c.tenant).where(people.c.id == _VALUE),
}
# Where the database guards rows, it answers this one question for everybody's.
_GUARDED: Final = text("SELECT * FROM signoff_tenants_of(:kind, :value)")


def tenants_of(tx: Transaction, kind: Kind, value: str) -> list[TenantId]:
    """The tenants that have a `kind` of this value, in the order of their ids: a person may be in several."""
    if not value.isprintable():  # nor can the database be asked for half a surrogate pair
        return []
    if tx.is_guarded:
        rows = tx.connection.execute(_GUARDED, {"kind": kind, "value": value})
    else:
        rows = tx.connection.execute(_LOOKS[kind], {"value": value})
    return sorted({TenantId(row[0]) for row in rows})


def homes_of(tx: Transaction, person_or_email: str, only: TenantId | None = None) -> list[TenantId]:
    """The active tenants in which this is somebody, or `only` that one; they choose by the link they open."""
    who = person_or_email.strip()
    kind: Kind = "email" if "@" in who else "person"
    named = who.lower() if kind == "email" else who.removeprefix("person:")
    awake = {tenant.id for tenant in listing(tx, only_active=True)}
    found = tenants_of(tx, kind, named)
    return [each for each in found if each in awake and only in {None, each}]


def enter(tx: Transaction, kind: Kind, value: str) -> None:
    """Act for whoever has the `kind` of this value; where nobody has, nothing more is seen than before."""
    if tx.is_guarded and (found := tenants_of(tx, kind, value)):
        tx.act_for(found[0])
