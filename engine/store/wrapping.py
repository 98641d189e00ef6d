"""People's own keys, each wrapped by the server's secret; wrapped anew once that is another one."""

from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import select

from engine import sealing
from engine.ids import TenantId
from engine.store.database import Transaction
from engine.store.statements import change
from engine.store.tables import subject_keys

AT_ONCE: Final = 500  # keys in one deed


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrapped:
    """How many keys are wrapped by the first secret, by an older one, and by none that is known.

    `last` is the key up to which they were looked at; none, where there were no more.
    """

    first: int = 0
    older: int = 0
    unreadable: int = 0
    last: str | None = None

    def plus(self, other: "Wrapped") -> "Wrapped":
        """Both together, up to where `other` came."""
        return Wrapped(
            first=self.first + other.first,
            older=self.older + other.older,
            unreadable=self.unreadable + other.unreadable,
            last=other.last,
        )


def wrapped(tx: Transaction, tenant: TenantId, key: str, secret: bytes) -> str:
    """The key of this name as it is kept: under the first secret."""
    place, first = _place(tenant, key), tx.tokens.wrapping_keys[0]
    return sealing.sealed(first, secret, place=place, secret=tx.ids.secret())


def unwrapped(tx: Transaction, tenant: TenantId, key: str, kept: str | None) -> bytes | None:
    """The key itself, by whichever secret it is wrapped; None if that is none of ours, or it is destroyed."""
    found = None if kept is None else _opened(tx, tenant, key, kept)
    return None if found is None else found[1]


def look(tx: Transaction, tenant: TenantId, *, after: str = "") -> Wrapped:
    """By which secrets the next keys after `after` are wrapped."""
    return _each(tx, tenant, after, anew=False)


def wrap_anew(tx: Transaction, tenant: TenantId, *, after: str = "") -> Wrapped:
    """Wrap those of the next keys by the first secret that an older one wraps, and count them as older.

    What seals, and what is sealed, stays as it is. Doing it again finds nothing to do.
    """
    return _each(tx, tenant, after, anew=True)


def _each(tx: Transaction, tenant: TenantId, after: str, *, anew: bool) -> Wrapped:
    page = (
        select(subject_keys.c.id, subject_keys.c.wrapped)
        .where(
            subject_keys.c.tenant == tenant,
            subject_keys.c.id > after,
            subject_keys.c.destroyed_at.is_(None),
        )
        .order_by(subject_keys.c.id)
        .limit(AT_ONCE)
    )
    told = Wrapped()
    rows = tx.connection.execute(page).all()
    for row in rows:
        kept = str(row.wrapped)
        match _opened(tx, tenant, row.id, kept):
            case None:
                told = replace(told, unreadable=told.unreadable + 1)
            case (0, _):
                told = replace(told, first=told.first + 1)
            case (_, secret):
                told = replace(told, older=told.older + 1)
                if anew:
                    _rewrap(tx, tenant, row.id, secret, before=kept)
    return replace(told, last=rows[-1].id if len(rows) == AT_ONCE else None)


def _rewrap(tx: Transaction, tenant: TenantId, key: str, secret: bytes, *, before: str) -> None:
    # Whoever destroyed it or wrapped it anew in the meantime has the last word.
    where = {"tenant": tenant, "id": key, "wrapped": before}
    change(tx, subject_keys, where, {"wrapped": wrapped(tx, tenant, key, secret)})


def _opened(tx: Transaction, tenant: TenantId, key: str, kept: str) -> tuple[int, bytes] | None:
    for which, wrapping in enumerate(tx.tokens.wrapping_keys):
        found = sealing.opened(wrapping, kept, place=_place(tenant, key))
        if found is not None:
            return which, found
    return None


def _place(tenant: TenantId, key: str) -> str:
    return f"{tenant}|subject_keys.{key}.wrapped"
