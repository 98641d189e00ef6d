"""Personal links as rows, found by the hash of their token, and the nonces of their pages."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import and_, delete, insert, select, update

from engine.ids import ApprovalId, PersonId, TenantId
from engine.rules.states import ApprovalStatus
from engine.store import belongings
from engine.store.database import Transaction
from engine.store.statements import add_new, change, find_one, put_among
from engine.store.tables import approvals, links, nonces, people, tenants
from engine.store.tenants import is_active

NONCE_FOR: Final = timedelta(minutes=10)

_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{1,200}")
_CLINGING: Final = ">).,;:!?\"']}"  # what stands behind a link in a sentence, and travels with it


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRow:
    """A link that exists, of an active person, beside its approval as it stands now."""

    hash: str
    tenant: TenantId
    approval: ApprovalId
    version: int
    person: PersonId
    revoked_at: datetime | None
    current_version: int
    status: ApprovalStatus
    ended_at: datetime | None
    is_open: bool  # whether its tenant is active


def as_minted(token: str) -> str | None:
    """The token without what mail programs leave hanging on it; None for what cannot be one."""
    bare = token[:210].rstrip(_CLINGING)
    return bare if _TOKEN.fullmatch(bare) else None


def mint(
    tx: Transaction,
    tenant: TenantId,
    *,
    approval: ApprovalId,
    version: int,
    person: PersonId,
    serial: int,
) -> None:
    """Let the token of these four open the approval. Minting again changes nothing.

    A link that was revoked stays so; another serial makes another link.
    """
    token = tx.tokens.respond(approval=approval, version=version, person=person, serial=serial)
    hashed = tx.tokens.hashed("respond", token)
    row = {
        "hash": hashed,
        "tenant": tenant,
        "approval": approval,
        "version": version,
        "person": person,
    }
    add_new(tx, links, row)


def token_of(
    tx: Transaction, *, approval: ApprovalId, version: int, person: PersonId, serial: int
) -> str:
    """The token that was minted for these four, under whichever secret came first then."""
    made = tx.tokens.responds(approval=approval, version=version, person=person, serial=serial)
    first, *older = made
    if older:
        for token, hashed in zip(made, _hashes_of(tx, made), strict=True):
            if find_one(tx, links, {"hash": hashed}) is not None:
                return token
    return first


def find(tx: Transaction, token: str) -> LinkRow | None:
    """The link behind `token`; None for what never was one, and for links of disabled people."""
    bare = as_minted(token)
    if bare is None:
        return None
    found = (_found(tx, hashed) for hashed in tx.tokens.hashes("respond", bare))
    return next((each for each in found if each is not None), None)


def _hashes_of(tx: Transaction, tokens: Sequence[str]) -> Sequence[str]:
    """That of each token under the secret of which it is made."""
    hashes = (tx.tokens.hashes("respond", token) for token in tokens)
    return [each[which] for which, each in enumerate(hashes)]


def _found(tx: Transaction, hashed: str) -> LinkRow | None:
    belongings.enter(tx, "link", hashed)
    owner = and_(people.c.tenant == links.c.tenant, people.c.id == links.c.person)
    row = tx.connection.execute(
        select(
            links,
            approvals.c.version.label("current"),
            approvals.c.status,
            approvals.c.ended_at,
            is_active(links.c.tenant).label("is_open"),
        )
        .join(approvals, approvals.c.id == links.c.approval)
        .join(people, owner)
        .outerjoin(tenants, tenants.c.id == links.c.tenant)
        .where(links.c.hash == hashed, people.c.is_active)
    ).one_or_none()
    if row is None:
        return None
    return LinkRow(
        hash=row.hash,
        tenant=TenantId(row.tenant),
        approval=ApprovalId(row.approval),
        version=row.version,
        person=PersonId(row.person),
        revoked_at=row.revoked_at,
        current_version=row.current,
        status=ApprovalStatus(row.status),
        ended_at=row.ended_at,
        is_open=row.is_open,
    )


def revoke_all(tx: Transaction, those: Collection[ApprovalId]) -> None:
    """Kill the links of these approvals, which have ended or have another version."""
    alive, dead = {"revoked_at": None}, {"revoked_at": tx.now}
    put_among(tx, links, alive, dead, among={"approval": those})


def revoke_for(tx: Transaction, approval: ApprovalId, *, person: PersonId | None = None) -> int:
    """Kill the approval's links, or those of one `person`; gives how many lived."""
    where: dict[str, object] = {"approval": approval, "revoked_at": None}
    if person is not None:
        where["person"] = person
    return change(tx, links, where, {"revoked_at": tx.now})


def add_nonce(tx: Transaction, tenant: TenantId, nonce: str, *, link: str) -> None:
    """Let `nonce` carry one decision of the page of `link`; what is too old is forgotten."""
    tx.connection.execute(delete(nonces).where(nonces.c.expires_at <= tx.now))
    tx.connection.execute(
        insert(nonces).values(
            tenant=tenant,
            hash=tx.tokens.hashed("nonce", nonce),
            link=link,
            expires_at=tx.now + NONCE_FOR,
        )
    )


def is_nonce_used(tx: Transaction, nonce: str, *, link: str) -> bool | None:
    """Whether the page's nonce was spent; None when it is no nonce of `link`, or too old."""
    row = tx.connection.execute(
        select(nonces.c.used_at).where(
            nonces.c.hash.in_(tx.tokens.hashes("nonce", nonce)),
            nonces.c.link == link,
            nonces.c.expires_at > tx.now,
        )
    ).one_or_none()
    return None if row is None else row.used_at is not None


def use_nonce(tx: Transaction, nonce: str) -> bool:
    """Whether this call is the one that spends the nonce."""
    done = tx.connection.execute(
        update(nonces)
        .where(nonces.c.hash.in_(tx.tokens.hashes("nonce", nonce)), nonces.c.used_at.is_(None))
        .values(used_at=tx.now)
    )
    return done.rowcount == 1
