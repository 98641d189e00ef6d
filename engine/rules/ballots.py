"""The sentences a voter is answered with, the same on every surface."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from engine.rules.tally import Outcome, Tally

NAMES_MAX: Final = 5

_ENDED: Final = {
    "changes_requested": "sent back for changes",
    "cancelled": "withdrawn",
}


def progress(tally: Tally) -> str:
    """How far an approval is: `1 of 2 approvals`, with groups and rejections if there are any."""
    parts = [f"{tally.have} of {tally.need} {'approval' if tally.need == 1 else 'approvals'}"]
    if tally.groups:
        groups = ", ".join(f"{group.name} {group.have} of {group.need}" for group in tally.groups)
        parts = [f"{parts[0]} ({groups})"]
    if len(tally.standings) > 1:
        parts.append(f"split over {len(tally.standings)} outcomes, which do not add up")
    if tally.reject_have:
        parts.append(_rejections(tally))
    return ", ".join(parts)


def counted_message(tally: Tally) -> str:
    """A vote that counts was recorded."""
    return f"Recorded. {_standing(tally)}"


def changed_message(tally: Tally) -> str:
    """A person replaced their own vote."""
    return f"Changed. Your new vote counts instead. {_standing(tally)}"


def unchanged_message(tally: Tally) -> str:
    """A person voted the same way again."""
    return f"You had already voted so; it counts once. {_standing(tally)}"


def already_decided_message(outcome: str, by: Sequence[str], at: datetime) -> str:
    """A vote that came after the decision: kept as late, never counted.

    `by` are names as people know them, in the order they are to be shown; nobody is named when it
    is empty.
    """
    ended = _ENDED.get(outcome, outcome)
    return f"Not counted: this was already {ended}{_named(by)} on {moment(at)}."


def superseded() -> str:
    """A vote on an earlier version of what is asked."""
    return "Not counted: the request was edited. Look at the new version and vote on that."


def not_eligible(reason: str) -> str:
    """A vote of somebody who may not vote; `reason` completes the sentence."""
    return f"Not counted: {reason.rstrip('.')}."


def expired(at: datetime) -> str:
    """A vote after the time was over."""
    return f"Not counted: the time for this request ended on {moment(at)}."


def not_recorded() -> str:
    """The store did not confirm in time; the vote may have landed or not."""
    return "Not confirmed. Press again: it counts once."


def comment_required() -> str:
    """A vote without the comment that its policy wants."""
    return "Not recorded: this request wants a comment with each vote. Write one and send again."


def moment(at: datetime) -> str:
    """A moment as people read it, in UTC: `20 November 2026 at 12:00 UTC`."""
    utc = at.astimezone(UTC)
    return f"{utc.day} {_MONTHS[utc.month - 1]} {utc.year} at {utc:%H:%M} UTC"


_MONTHS: Final = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def _standing(tally: Tally) -> str:
    match tally.outcome:
        case Outcome.OPEN:
            return f"{progress(tally)}."
        case Outcome.APPROVED:
            return f"Approved: {progress(tally)}."
        case Outcome.REJECTED:
            return f"Rejected: {_rejections(tally)}."
        case Outcome.CHANGES_REQUESTED:
            return "Sent back for changes."
        case Outcome.IMPOSSIBLE:
            return f"Rejected: {progress(tally)}, and too few people are left to approve."


def _rejections(tally: Tally) -> str:
    noun = "rejection" if tally.reject_need == 1 else "rejections"
    return f"{tally.reject_have} of {tally.reject_need} {noun}"


def _named(by: Sequence[str]) -> str:
    shown = list(by[:NAMES_MAX])
    if len(by) > NAMES_MAX:
        shown.append(f"{len(by) - NAMES_MAX} more")
    if not shown:
        return ""
    *most, last = shown
    return f" by {', '.join(most)} and {last}" if most else f" by {last}"
