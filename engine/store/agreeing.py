"""What exactly a vote agrees to: the content as it would take effect, known by its digest."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from engine.digest import canonical, tagged_digest
from engine.errors import Superseded
from engine.rules import ballots
from engine.rules.content import Content
from engine.rules.modifying import Changes, changed, settle, typed
from engine.rules.tally import Choice
from engine.rules.values import BadChange
from engine.store import votes
from engine.store.approvals import DIGEST_TAG, ApprovalRow
from engine.store.database import Transaction

CONSENT: Final = frozenset({"approved", "continued"})


def effective_digest(content: Content, changes: Changes) -> str:
    """The digest of `content` with these changes; without any it is the approval's own."""
    return tagged_digest(DIGEST_TAG, changed(content, changes).to_json())


def written(changes: Changes) -> str:
    """Settled changes as they are kept, equal for equal changes; empty where there are none."""
    return canonical(changes).decode() if changes else ""


def read(kept: str | None) -> Changes:
    """What `written` wrote."""
    changes: Changes = json.loads(kept or "{}")
    return changes


def sealed(content: Content, decision: Mapping[str, Any]) -> Mapping[str, object]:
    """`decision` with the digest of what takes effect, where there is consent to something changeable."""
    if not content.fields or decision["outcome"] not in CONSENT:
        return decision
    changes = settle(content, decision["changes"])
    digest = effective_digest(content, changes)
    return {**decision, "changes": changes, "effective_digest": digest}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a vote says of changes: as values, or as the texts that stood in inputs when it was sent."""

    choice: Choice
    digest: str | None
    changes: Mapping[str, object] | None
    typed: Mapping[str, str] | None

    def of(self, row: ApprovalRow) -> Mapping[str, object] | None:
        """The changes as values. Inputs mean nothing when others than they were pressed."""
        is_as_shown = self.digest in {None, row.digest}
        if self.typed is None or self.choice is not Choice.APPROVE or not is_as_shown:
            return self.changes
        return typed(row.content, self.typed)


def agreed(tx: Transaction, row: ApprovalRow, said: Wanted) -> Changes:
    """What a vote with these words would change, settled.

    A `digest` that is not the approval's is that of an outcome that somebody agreed to in this
    version, whatever they said since: whoever was shown it and agrees means exactly that.

    Raises:
        Superseded: if `digest` is that of nothing that this version is, or could become.
        BadChange: for changes that are not allowed, that come with another answer than consent, or
            that are not those of `digest`.
    """
    choice, digest, changes = said.choice, said.digest, said.of(row)
    wanted = settle(row.content, changes)
    if wanted and choice is not Choice.APPROVE:
        raise BadChange(
            "", "Only an approval can change what is asked. Approve, or leave it as it is."
        )
    if digest in {None, row.digest}:
        return wanted
    for vote in votes.of(tx, row.id) if row.content.fields else ():
        if vote.version == row.version and vote.changes is not None:
            proposed = settle(row.content, vote.changed)
            if effective_digest(row.content, proposed) == digest:
                if changes is not None and wanted != proposed:
                    raise BadChange("", "These changes are not those that the digest stands for.")
                return proposed if choice is Choice.APPROVE else {}
    raise Superseded(ballots.superseded())
