"""Why a run has no consent to go on: one sentence, kept in its journal and shown on its page."""

from collections.abc import Mapping, Sequence
from typing import Final

_ENDED: Final[Mapping[str, str]] = {
    "rejected": "was rejected",
    "expired": "was not decided in time",
    "rollback": "was not decided in time",
    "changes_requested": "was sent back for changes",
    "cancelled": "was withdrawn",
}
_BECAUSE: Final[Mapping[str, str]] = {
    "approval_impossible": "too few people were left to approve",
}
_RUNG: Final = "rung: "


def without_consent(
    title: str, outcome: str, *, by: Sequence[str], comment: str | None, rule: str = ""
) -> str:
    """How the approval `title` ended, by whom, and what they said.

    `by` are names as people know them. Where nobody ended it on purpose, `rule` says what did: a rung
    of the ladder by its text, or that too few people were left.
    """
    *most, last = [""] if rule in _BECAUSE else [*by] or [""]
    who = f" by {', '.join(most)} and {last}" if most else f" by {last}" if last else ""
    rung = rule.removeprefix(_RUNG) if rule.startswith(_RUNG) else ""
    because = _BECAUSE.get(rule) or comment or rung
    why = f": {because}" if because else ""
    sentence = f"“{title}” {_ENDED.get(outcome, 'ended without consent')}{who}{why}"
    return sentence if sentence.endswith((".", "!", "?")) else f"{sentence}."
