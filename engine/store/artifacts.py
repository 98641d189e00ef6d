"""Immutable bytes named by their SHA-256."""

from dataclasses import dataclass

from sqlalchemy import select

from engine.digest import sha256
from engine.errors import Fault, NotFound
from engine.ids import TenantId
from engine.store.database import Transaction
from engine.store.statements import add_new
from engine.store.tables import artifacts


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """What was kept under a name."""

    hash: str
    media_type: str
    content: bytes


def put(tx: Transaction, tenant: TenantId, content: bytes, media_type: str) -> str:
    """Keep `content` and give its name, `sha256:…`. The same bytes again change nothing."""
    name = sha256(content)
    row = {
        "tenant": tenant,
        "hash": name,
        "media_type": media_type,
        "content": content,
        "at": tx.now,
    }
    add_new(tx, artifacts, row)
    return name


def get(tx: Transaction, tenant: TenantId, name: str) -> Artifact:
    """The bytes called `name`, proved to be those that were kept.

    Raises:
        NotFound: if this tenant keeps nothing of that name.
        Fault: `artifact_damaged`, if the stored bytes are not what their name says.
    """
    row = tx.connection.execute(
        select(artifacts).where(artifacts.c.tenant == tenant, artifacts.c.hash == name)
    ).one_or_none()
    if row is None:
        raise NotFound(f"There is no artifact {name!a}.")
    if sha256(row.content) != row.hash:
        raise Fault(
            f"Artifact {row.hash} is damaged: its bytes have another hash. Restore a backup.",
            code="artifact_damaged",
        )
    return Artifact(hash=row.hash, media_type=row.media_type, content=row.content)
