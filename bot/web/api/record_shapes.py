"""What operators are answered about the record."""

from datetime import datetime
from typing import Any

from pydantic import Field

from bot.web.api.changed_shapes import Answer


class AuditEntry(Answer):
    """One entry of the audit."""

    position: int
    kind: str
    data: dict[str, Any]
    at: datetime
    hash: str
    previous: str


class AuditPage(Answer):
    """Entries, newest first."""

    entries: list[AuditEntry]
    next: str | None


class Finding(Answer):
    """One thing that is not as it was written."""

    damage: str = Field(
        description="edited, unlinked, missing, cut, added, rewritten, orphan, state, anchor, forged or rewound."
    )
    chain: str = Field(description="`audit`, a run, or an anchor.")
    position: int | None
    says: str


class OpenRange(Answer):
    """The end of a chain of which no anchor tells yet."""

    chain: str
    first: int
    last: int
    since: datetime


class Unanchored(Answer):
    """What no anchor tells of yet, with the first hundred chains."""

    entries: int
    chains: int
    since: datetime | None
    ranges: list[OpenRange]


class LastAnchor(Answer):
    """The newest anchor."""

    number: int
    at: datetime


class Verified(Answer):
    """What a walk over the whole record found; of `damaged` the first thousand are told."""

    tenant: str
    is_whole: bool
    runs: int
    entries: int
    pruned: int = Field(description="Of the entries: those for which a signed summary stands.")
    anchored: int
    anchors: int
    last_anchor: LastAnchor | None
    unanchored: Unanchored
    damaged: int
    findings: list[Finding]


class Key(Answer):
    """The public key that signs anchors, and earlier ones that still count."""

    key: str
    earlier: list[str]


class Anchor(Answer):
    """A signed statement of how far every chain had come."""

    statement: dict[str, Any]
    signature: str


class AnchorPage(Answer):
    """Anchors, oldest first."""

    anchors: list[Anchor]
    next: str | None


class Exported(Answer):
    """Lines of the export, in order; `next` leads to those that follow."""

    lines: list[str]
    next: str | None
