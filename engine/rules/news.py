"""What a journal entry is called when it is told to those who watch."""

from collections.abc import Mapping
from typing import Final

PROGRESS: Final = "run.progressed"

_SAID: Final[Mapping[str, str]] = {
    "approval.opened": "approval.opened",
    "approval.edited": "approval.edited",
    "approval.extended": "approval.updated",
    "vote.recorded": "approval.updated",
    "rung.fired": "approval.reminded",
    "rollback.started": "run.rolling_back",
    "compensation.stuck": "compensation.stuck",
}
_ENDINGS: Final[Mapping[str, str]] = {
    "approved": "approval.decided",
    "rejected": "approval.decided",
    "changes_requested": "approval.decided",
    "cancelled": "approval.cancelled",
}
_BUDGETS: Final = frozenset(
    f"budget.{event}" for event in ("warned", "overrun", "exceeded", "asked", "raised", "kept")
)
_ENDING_RUNGS: Final = ("reject ", "rollback ", "continue ", "approve ")


def news_type(kind: str, data: Mapping[str, object]) -> str:
    """The type under which an entry is told: a webhook's where it has one, else what its run did.

    What is inside a run, such as its steps, is all `run.progressed`.
    """
    if kind == "approval.decided":
        return _ENDINGS.get(str(data.get("outcome")), "approval.expired")
    if kind == "rung.fired" and str(data.get("text", "")).startswith(_ENDING_RUNGS):
        return "approval.updated"  # the end that it brought follows at once
    if kind.startswith("run.") or kind in _BUDGETS:
        return kind
    return _SAID.get(kind, PROGRESS)
