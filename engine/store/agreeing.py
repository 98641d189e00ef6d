"""What exactly a vote agrees to: the content as it would take effect, known by its digest."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from engine.digest import canonical, tagged_digest
from engine.errors import Superseded
from engine.rules import ballots
from engine.rules.answers import BadAnswer
from engine.rules.content import Content
from engine.rules.modifying import Changes, answered, changed, demand_complete, settle, typed
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
    filled = {} if content.form is None else {"form": answered(content, changes)}
    return {**decision, "changes": changes, "effective_digest": digest, **filled}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a vote says of changes: as values, or as the texts that stood in inputs when it was sent.

    `form` are the values with which a form is filled in; what else may be changed stands in `changes`.
    """

    choice: Choice
    digest: str | None
    changes: Mapping[str, object] | None = None
    typed: Mapping[str, str] | None = None
    form: Mapping[str, object] | None = None

    def of(self, row: ApprovalRow) -> Mapping[str, object] | None:
        """The changes as values. Inputs mean nothing when others than they were pressed.

        Raises:
            BadChange: for answers to a form where none is asked, changes where one is, and as `typed`.
        """
        is_form = row.content.form is not None
        if self.form and not is_form:
            raise BadChange("", "No form is asked here. What may be changed goes under changes.")
        if self.changes and is_form:
            raise BadAnswer("", "A form is asked here. Its answers go under form.")
        if self.typed is None or self.choice is not Choice.APPROVE or not self.is_as_shown(row):
            return self.form if is_form else self.changes
        return typed(row.content, self.typed)

    def is_as_shown(self, row: ApprovalRow) -> bool:
        """Whether it answers what is asked itself, and not what somebody made of it."""
        return self.digest in {None, row.digest}


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
    if said.is_as_shown(row):
        if choice is Choice.APPROVE:
            demand_complete(row.content, wanted)
        return wanted
    for vote in votes.of(tx, row.id) if row.content.fields else ():
        if vote.version == row.version and vote.changes is not None:
            proposed = settle(row.content, vote.changed)
            if effective_digest(row.content, proposed) == digest:
                if changes is not None and wanted != proposed:
                    raise BadChange("", "These changes are not those that the digest stands for.")
                return proposed if choice is Choice.APPROVE else {}
    raise Superseded(ballots.superseded())
