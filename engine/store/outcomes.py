"""What approvers make of what was asked: each outcome that somebody agrees to, and the one that takes effect."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.ids import PersonId
from engine.rules.content import Content
from engine.rules.modifying import Changes, Difference, answered, changed, differences
from engine.rules.tally import Tally
from engine.store.agreeing import effective_digest, read


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomePicture:
    """One exact outcome that people agree to; whoever votes with its digest agrees to it as well."""

    digest: str
    changes: Changes
    differences: tuple[Difference, ...]
    by: tuple[PersonId, ...]
    have: int
    need: int

    def to_json(self) -> dict[str, object]:
        """The same as JSON."""
        return {
            "digest": self.digest,
            "changes": self.changes,
            "differences": [each.to_json() for each in self.differences],
            "by": list(self.by),
            "have": self.have,
            "need": self.need,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Modifying:
    """The proposed, the decided and the effective values of an approval, kept apart.

    `decided` is None while there is no consent; with it, it is what was changed, often nothing.
    """

    content: Content
    outcomes: tuple[OutcomePicture, ...]
    decided: Changes | None

    @property
    def differences(self) -> tuple[Difference, ...]:
        """What was decided to be otherwise than it was asked."""
        return differences(self.content, self.decided or {})

    def to_json(self) -> dict[str, object]:
        """What the approval says of its kind; all but `kind` is empty where nothing can be changed."""
        fields = self.content.fields
        if not fields:
            kept: dict[str, object] = {
                "proposed": None,
                "decided": None,
                "effective": None,
                "differences": [],
            }
            return {"kind": "binary", "form": None, "fields": None, **kept, "outcomes": []}
        return {
            "kind": self.content.kind,
            "form": self.content.form_as_asked,
            "fields": list(fields),
            "proposed": self.content.proposed,
            "decided": self.decided,
            "effective": self._effective(),
            "differences": [each.to_json() for each in self.differences],
            "outcomes": [each.to_json() for each in self.outcomes],
        }

    def _effective(self) -> dict[str, object] | None:
        if self.decided is None:
            return None
        effective = changed(self.content, self.decided)
        digest = effective_digest(self.content, self.decided)
        filled = {"form": answered(self.content, self.decided)} if self.content.form else {}
        return {
            "digest": digest,
            "details": effective.details,
            "call": effective.call,
            **filled,
        }


def modifying(content: Content, tally: Tally, decision: Mapping[str, Any] | None) -> Modifying:
    """Where an approval with `content` stands; nothing more is known of one that nobody may change."""
    if not content.fields:
        return Modifying(content=content, outcomes=(), decided=None)
    is_consent = decision is not None and "effective_digest" in decision
    return Modifying(
        content=content,
        decided=decision["changes"] if decision is not None and is_consent else None,
        outcomes=tuple(_outcomes(content, tally)),
    )


def _outcomes(content: Content, tally: Tally) -> list[OutcomePicture]:
    found: list[OutcomePicture] = []
    for standing in tally.standings:
        changes = read(standing.agrees_to)
        picture = OutcomePicture(
            digest=effective_digest(content, changes),
            changes=changes,
            differences=differences(content, changes),
            by=standing.approvals,
            have=standing.have,
            need=tally.need,
        )
        found.append(picture)
    return found
