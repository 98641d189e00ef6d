"""What happened to an approval, in the words and the order in which people tell it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from channels.asking import amount_of, answer_text
from engine.rules.modifying import answered
from engine.rules.tally import Choice
from engine.store.approvals import ApprovalRow
from engine.store.journal import Entry
from engine.store.pictures import ApprovalPicture
from engine.store.votes import VoteRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One line: when, by whom (nobody in particular is None), and what."""

    at: datetime
    who: str | None
    what: str


_ANSWERED: Final[Mapping[str, str]] = {
    Choice.APPROVE: "approved",
    Choice.REJECT: "rejected",
    Choice.REQUEST_CHANGES: "asked for changes",
    Choice.ABSTAIN: "abstained",
}
_VIA: Final[Mapping[str, str]] = {
    "slack": "in Slack",
    "email": "by email",
    "web": "on the web",
    "webhook": "by webhook",
    "api": "over the API",
    "cli": "in a terminal",
}
_ENDED: Final[Mapping[str, str]] = {
    "approved": "It was approved",
    "rejected": "It was rejected",
    "expired": "The time ran out",
    "continued": "The time ran out, and it went on with the default",
    "changes_requested": "It was sent back for changes",
    "cancelled": "It was withdrawn",
}
_BECAUSE: Final[Mapping[str, str]] = {
    "quorum": "enough people agreed",
    "reject_quorum": "enough people objected",
    "approval_impossible": "too few people were left to approve",
    "run_cancelled": "its run was cancelled",
    "withdrawn": "who asked took it back",
}
_OF_THE_RUN: Final[Mapping[str, str]] = {
    "approval.consumed": "The step that asked for it used the decision.",
    "rollback.started": "What the run did is being undone.",
    "compensation.finished": "Undone: {name}.",
    "compensation.skipped": "Left as it is: {name}.",
    "compensation.stuck": "{name} could not be undone yet.",
    "run.completed": "The run is completed.",
    "run.failed": "The run failed.",
    "run.rolled_back": "The run is rolled back.",
    "run.cancelled": "The run was cancelled.",
}


def timeline(row: ApprovalRow, picture: ApprovalPicture, entries: Sequence[Entry]) -> list[Event]:
    """The approval's part of its run's journal, and the votes that came too late for it."""
    opened = [entry for entry in entries if _is_opening(entry, row)]
    if not opened:
        return []
    told = [
        event
        for entry in entries
        if entry.position >= opened[0].position and _is_about(entry, row)
        for event in _told(entry, row)
    ]
    late = [_late(vote) for vote in picture.votes if vote.is_late]
    return sorted([*told, *late], key=lambda event: event.at)


def _is_opening(entry: Entry, row: ApprovalRow) -> bool:
    return entry.kind == "approval.opened" and entry.data.get("approval") == row.id


def _is_about(entry: Entry, row: ApprovalRow) -> bool:
    about: str = entry.data.get("approval", row.id)
    return about == row.id


def _told(entry: Entry, row: ApprovalRow) -> list[Event]:
    who, what = _words(entry, row)
    return [Event(at=entry.at, who=who, what=what)] if what else []


def _words(entry: Entry, row: ApprovalRow) -> tuple[str | None, str]:
    data = entry.data
    match entry.kind:
        case "approval.opened":
            again = data.get("version", 1) > 1
            return data.get("requester"), (
                f"asked again; this is version {data['version']}." if again else "asked for this."
            )
        case "approval.edited":
            return data.get("by"), f"edited it; this is version {data.get('version')}."
        case "approval.extended":
            return data.get("by"), f"gave it {data.get('extended_by', 'some')} more."
        case "vote.recorded":
            via = _VIA.get(data["channel"], data["channel"])
            said = f"{_ANSWERED.get(data['choice'], data['choice'])} {via}"
            return data["person"], f"{said}{_made_of_it(data, row)}."
        case "rung.fired":
            return None, f"As time passed: {data['text']}."
        case "approval.decided":
            ended = _ENDED.get(data["outcome"], data["outcome"])
            why = _BECAUSE.get(data["rule"], "")
            return None, f"{ended}: {why}." if why else f"{ended}."
        case kind:
            return None, _OF_THE_RUN.get(kind, "").format(name=entry.name)


def _made_of_it(vote: Mapping[str, Any], row: ApprovalRow) -> str:
    """What somebody made of what was asked; of an earlier version only that they did."""
    content = row.content
    changes: Mapping[str, object] = vote.get("changes") or {}
    if vote["choice"] == Choice.APPROVE and vote.get("version") == row.version:
        if content.form is not None:
            filled = answered(content, changes)
            said = [
                f"{asked.label}: {answer_text(asked, filled[name])}"
                for name, asked in content.asked.items()
                if name in filled
            ]
            return f", with {', '.join(said)}" if said else ""
        if content.is_budget and changes:
            return f", for {amount_of({**content.details, **changes})}"
    return ", with changes" if changes else ""


def _late(vote: VoteRow) -> Event:
    via = _VIA.get(vote.channel, vote.channel)
    return Event(
        at=vote.at, who=vote.person, what=f"{_ANSWERED[vote.choice]} {via}, too late to count."
    )
