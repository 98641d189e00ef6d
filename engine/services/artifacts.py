"""Immutable bytes, handed out by their name."""

from engine.ids import TenantId
from engine.store import artifacts
from engine.store.artifacts import Artifact
from engine.store.database import Transaction

__all__ = ["Artifact", "get"]


def get(tx: Transaction, tenant: TenantId, name: str) -> Artifact:
    """The bytes called `name`, `sha256:…`, proved to be those that were kept.

    Raises:
        NotFound: if this tenant keeps nothing of that name. Fault: if they were damaged.
    """
    return artifacts.get(tx, tenant, name)
