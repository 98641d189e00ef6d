"""Organisations on one installation: made, renamed, put to rest, and told apart when a caller could mean several."""

import re
from collections.abc import Sequence
from typing import Final

from engine.errors import Conflict, Invalid, NotFound, TenantUnclear
from engine.ids import DEFAULT_TENANT, TenantId
from engine.store import audit, tenants
from engine.store.database import Transaction
from engine.store.tenants import Tenant, check_active, find, listing, name_among_several

__all__ = [
    "Tenant",
    "activate",
    "check_active",
    "choose",
    "create",
    "deactivate",
    "find",
    "get",
    "is_slug",
    "keep",
    "listing",
    "name_among_several",
    "rename",
]

NAME_CHARS_MAX: Final = 100
SLUGS: Final = "2 to 32 of a-z, 0-9 and single dashes, a letter first"

_SLUG: Final = re.compile(r"(?=.{2,32}\Z)[a-z][a-z0-9]*(?:-[a-z0-9]+)*")


def is_slug(text: str) -> bool:
    """Whether `text` can be an organisation's id: it stands in headers, settings and addresses."""
    return _SLUG.fullmatch(text) is not None


def create(tx: Transaction, tenant: str, *, name: str, by: str, origin: str = "api") -> Tenant:
    """Make an organisation, empty and active.

    Raises:
        Invalid: `bad_tenant_id`, `bad_tenant_name`. Conflict: `tenant_exists`, also for one at rest.
    """
    if not is_slug(tenant):
        raise Invalid(f"{tenant!a} cannot be a tenant's id: {SLUGS}.", code="bad_tenant_id")
    wanted = TenantId(tenant)
    if tenants.find(tx, wanted) is not None:
        raise Conflict(f"There is a tenant {tenant} already.", code="tenant_exists")
    tenants.add(tx, wanted, name=_name(name), origin=origin)
    _put_on_record(tx, "tenant.created", wanted, by=by)
    return get(tx, wanted)


def keep(tx: Transaction, tenant: TenantId, *, name: str) -> None:
    """See that the organisation of `signoff.toml` is there under its name; who was put to rest stays so."""
    known = tenants.find(tx, tenant)
    if known is None:
        create(tx, tenant, name=name, by="config", origin="config")
    elif known.name != name:
        rename(tx, tenant, name, by="config")


def get(tx: Transaction, tenant: TenantId) -> Tenant:
    """The organisation, active or not.

    Raises:
        NotFound: if there is none of that id.
    """
    found = tenants.find(tx, tenant)
    if found is None:
        raise NotFound(f"There is no tenant {tenant!a}.")
    return found


def rename(tx: Transaction, tenant: TenantId, name: str, *, by: str) -> Tenant:
    """Call the organisation something else.

    Raises:
        NotFound: if there is none of that id. Invalid: `bad_tenant_name`.
    """
    if get(tx, tenant).name != _name(name):
        tenants.rename(tx, tenant, _name(name))
        _put_on_record(tx, "tenant.renamed", tenant, by=by)
    return get(tx, tenant)


def deactivate(tx: Transaction, tenant: TenantId, *, by: str) -> Tenant:
    """Put the organisation to rest: its keys, sessions and links are refused, its runs are not driven,
    its rungs do not fire and its messages are not sent. Nothing is lost. Doing so again changes nothing.

    Raises:
        NotFound: if there is none of that id. Conflict: `default_tenant`: it runs the installation.
    """
    if tenant == DEFAULT_TENANT:
        raise Conflict(
            "The tenant default runs this installation and is always active.", code="default_tenant"
        )
    if get(tx, tenant).is_active:
        tenants.set_active(tx, tenant, is_active=False)
        _put_on_record(tx, "tenant.deactivated", tenant, by=by)
    return get(tx, tenant)


def activate(tx: Transaction, tenant: TenantId, *, by: str) -> Tenant:
    """Let the organisation go on where it stood; what fell due meanwhile is done now.

    Raises:
        NotFound: if there is none of that id.
    """
    if not get(tx, tenant).is_active:
        tenants.set_active(tx, tenant, is_active=True)
        _put_on_record(tx, "tenant.activated", tenant, by=by)
        for topic in ("runs", "timers", "outbox"):
            tx.hint(topic)
    return get(tx, tenant)


def choose(tx: Transaction, wanted: str | None) -> TenantId:
    """The organisation that somebody means who may mean any; without `wanted`, the only one there is.

    Raises:
        TenantUnclear: `tenant_required`, if there are several; `unknown_tenant`, for none of them.
        NotAllowed: `tenant_inactive`, if it rests.
    """
    there = tenants.listing(tx)
    if wanted is None:
        if len(there) == 1:
            return there[0].id
        raise TenantUnclear(
            f"Several tenants are here: say which with the header Signoff-Tenant, --tenant or "
            f"SIGNOFF_TENANT. There are {_named(there)}.",
            code="tenant_required",
        )
    if all(each.id != wanted for each in there):
        raise TenantUnclear(
            f"There is no tenant {wanted[:40]!a}. There are {_named(there)}.", code="unknown_tenant"
        )
    check_active(tx, TenantId(wanted))
    return TenantId(wanted)


def _named(there: Sequence[Tenant]) -> str:
    shown = ", ".join(each.id for each in there[:20])
    return shown if len(there) <= 20 else f"{shown} and {len(there) - 20} more"


def _name(name: str) -> str:
    bare = name.strip()
    if not bare or len(bare) > NAME_CHARS_MAX or not bare.isprintable():
        raise Invalid(
            f"A tenant's name is 1 to {NAME_CHARS_MAX} characters on one line.",
            code="bad_tenant_name",
        )
    return bare


def _put_on_record(tx: Transaction, kind: str, tenant: TenantId, *, by: str) -> None:
    # The installation's deed, so it stands in the chain of those who run it.
    tx.act_for(DEFAULT_TENANT)
    audit.append(tx, DEFAULT_TENANT, kind, {"tenant": tenant, "by": by})
