"""Immutable bytes named by their SHA-256; kept compressed where that is smaller, and proved whenever they are read."""

import gzip
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import func, select

from engine.digest import sha256
from engine.errors import Fault, NotFound
from engine.ids import TenantId
from engine.store.database import Transaction
from engine.store.statements import add_new
from engine.store.tables import artifacts

WORTH_COMPRESSING: Final = 1_024  # bytes: below it a read costs more than the room is worth
BYTES_MAX: Final = (
    256 * 1024 * 1024
)  # what compressed bytes may become: bounds the memory of a read


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """What was kept under a name."""

    hash: str
    media_type: str
    content: bytes


def put(tx: Transaction, tenant: TenantId, content: bytes, media_type: str) -> str:
    """Keep `content` and give its name, `sha256:…`. The same bytes again change nothing.

    The name is that of the bytes as they were given, however they are kept.
    """
    name = sha256(content)
    row = {
        "tenant": tenant,
        "hash": name,
        "media_type": media_type,
        "content": _kept(content),
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
    for content in _readings(bytes(row.content)):
        if sha256(content) == row.hash:
            return Artifact(hash=row.hash, media_type=row.media_type, content=content)
    raise Fault(
        f"Artifact {row.hash} is damaged: its bytes have another hash. Restore a backup.",
        code="artifact_damaged",
    )


def sizes(tx: Transaction, tenant: TenantId, names: Iterable[str]) -> dict[str, int]:
    """How many bytes each of these takes where it is kept."""
    rows = tx.connection.execute(
        select(artifacts.c.hash, func.length(artifacts.c.content)).where(
            artifacts.c.tenant == tenant, artifacts.c.hash.in_(list(names))
        )
    )
    return {row[0]: row[1] for row in rows}


def _kept(content: bytes) -> bytes:
    if len(content) < WORTH_COMPRESSING:
        return content
    smaller = gzip.compress(content, mtime=0)
    return smaller if len(smaller) < len(content) else content


def _readings(kept: bytes) -> Iterable[bytes]:
    # The name decides which it is, so that bytes that were a gzip file to begin with stay one.
    yield kept
    unpacking = zlib.decompressobj(wbits=31)
    try:
        content = unpacking.decompress(kept, BYTES_MAX)
    except zlib.error:
        return
    if unpacking.eof:
        yield content
