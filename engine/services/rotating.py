"""Another secret for the server: what older ones made still holds, and people's keys are wrapped anew."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import partial

from engine.errors import Invalid
from engine.ids import DEFAULT_TENANT, TenantId
from engine.store import audit, secret, tenants, wrapping
from engine.store.database import Database, Transaction
from engine.store.secret import Older
from engine.store.wrapping import Wrapped


class Taken(StrEnum):
    """What a process found of its first secret: the one of before, the first of all, or another one.

    It `replaced` one that is not known any more, or `follows` one that still holds.
    """

    SAME = "same"
    FIRST = "first"
    FOLLOWS = "follows"
    REPLACED = "replaced"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What still needs a secret that comes after the first; `accepted` is how many of those there are."""

    since: datetime | None
    accepted: int
    wrapped: Wrapped
    made_before: Older

    @property
    def is_needed(self) -> bool:
        """Whether something would be lost if only the first secret were left."""
        before = self.made_before
        return bool(self.wrapped.older or before.keys or before.sessions or before.runs)


def take_up(tx: Transaction) -> Taken:
    """Note which secret comes first from now on; in the audit, if it is another one than before.

    Raises:
        Invalid: `bad_secret_key`, if older ones are given and the one that came first until now is
            not among them: somebody mistyped it, and would have lost what they meant to keep.
    """
    known, tokens = secret.known(tx.connection), tx.tokens
    if known is not None and known.fingerprint == tokens.fingerprint:
        return Taken.SAME
    follows = known is None or known.fingerprint in tokens.fingerprints
    if not follows and tokens.older:
        raise Invalid(
            "SIGNOFF_SECRET_KEY_PREVIOUS does not hold the secret that this database was last used "
            "with. Add that one. If it is lost, remove the setting: what was made with it is lost, too.",
            code="bad_secret_key",
        )
    secret.note(tx)
    if known is None:
        return Taken.FIRST
    said = {"secret": tokens.fingerprint, "before": known.fingerprint, "holds": follows}
    tx.act_for(DEFAULT_TENANT)
    audit.append(tx, DEFAULT_TENANT, "secret.changed", said)
    return Taken.FOLLOWS if follows else Taken.REPLACED


async def wrap_anew(database: Database) -> Wrapped:
    """Wrap every key of people's own by the first secret that an older one still wraps.

    In small deeds, tenant by tenant; whoever stops it loses nothing, and doing it again goes on.
    """
    told = Wrapped()
    for tenant in await database.read(_everybody):
        own = database.of(tenant)
        last: str | None = ""
        while last is not None:
            page = await own.write(partial(wrapping.wrap_anew, tenant=tenant, after=last))
            told, last = told.plus(page), page.last
    return told


async def standing(database: Database) -> Standing:
    """What still needs an older secret, of all tenants together; nothing, where only one is accepted."""
    known = await database.read(lambda tx: secret.known(tx.connection))
    accepted = await database.read(lambda tx: len(tx.tokens.older))
    wrapped, before = Wrapped(), Older()
    for tenant in await database.read(_everybody):
        own = database.of(tenant)
        last: str | None = ""
        while last is not None:
            page = await own.read(partial(wrapping.look, tenant=tenant, after=last))
            wrapped, last = wrapped.plus(page), page.last
        if known is not None and accepted:
            more = await own.read(partial(secret.older, tenant=tenant, since=known.since))
            before = Older(
                keys=(*before.keys, *more.keys),
                sessions=before.sessions + more.sessions,
                runs=before.runs + more.runs,
            )
    since = None if known is None else known.since
    return Standing(since=since, accepted=accepted, wrapped=wrapped, made_before=before)


def _everybody(tx: Transaction) -> list[TenantId]:
    return [each.id for each in tenants.listing(tx)]
