"""What templates may ask of a value: names, chips, facts and sentences, all pure."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bot.web.moments import ago, countdown, duration, moment
from bot.web.outcomes import (
    amount,
    asks,
    decided,
    made_of_it,
    payload,
    proposals,
    told,
    vote_changes,
)
from channels.calls import call_home, call_text
from channels.saying import NOTHING, text_of
from channels.visible import visible
from engine.rules.sandboxes import is_marked

Json = Mapping[str, Any]

_LINE_CHARS_MAX: Final = 120
_PIPS_MAX: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Chip:
    """A state in a word, a picture and a tone: never in colour alone."""

    word: str
    icon: str
    tone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One field of a payload; a block is too long, or has too much structure, for one line."""

    label: str
    text: str
    is_block: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far one group has come; `pips` are one per vote needed, True where it was given."""

    label: str
    have: int
    need: int
    text: str
    pips: Sequence[bool]


_CHIPS: Final[Mapping[str, tuple[str, str]]] = {
    "open": ("clock", "wait"),
    "approved": ("check", "good"),
    "approve": ("check", "good"),
    "continued": ("check", "good"),
    "rejected": ("cross", "bad"),
    "reject": ("cross", "bad"),
    "expired": ("hourglass", "bad"),
    "changes_requested": ("edit", "warn"),
    "request_changes": ("edit", "warn"),
    "abstain": ("dash", "calm"),
    "cancelled": ("dash", "calm"),
    "created": ("dot", "calm"),
    "running": ("play", "live"),
    "waiting": ("clock", "wait"),
    "paused": ("pause", "warn"),
    "rolling_back": ("undo", "warn"),
    "settling": ("play", "live"),
    "completed": ("check", "good"),
    "finished": ("check", "good"),
    "failed": ("cross", "bad"),
    "rolled_back": ("undo", "warn"),
    "killed": ("stop", "bad"),
    "resolved_provisional": ("clock", "wait"),
    "in_reconciliation": ("question", "warn"),
    "final": ("check", "good"),
    "settled": ("check", "good"),
    "closed": ("dash", "calm"),
    "unknown": ("question", "warn"),
    "begun": ("play", "live"),
    "stuck": ("question", "warn"),
    "undone": ("undo", "warn"),
    "rehearsed": ("undo", "calm"),
    "skipped": ("dash", "calm"),
    "pending": ("clock", "wait"),
    "planned": ("clock", "wait"),
    "sent": ("check", "good"),
    "posted": ("check", "good"),
    "dead": ("cross", "bad"),
    "dropped": ("dash", "calm"),
    "gone": ("dash", "calm"),
    "withdrawn": ("dash", "calm"),
    "low": ("low", "calm"),
    "medium": ("medium", "warn"),
    "high": ("high", "bad"),
}
_RISKS: Final = frozenset({"low", "medium", "high"})
_WAITS: Final[Mapping[str, str]] = {
    "approval": "People have to agree before it goes on.",
    "timer": "It sleeps until a moment it chose itself.",
    "child": "A run that it started has to end first.",
    "branches": "Each of its branches waits for people, a time, or a run that it started.",
    "reconcile": "Nobody knows whether a step happened. Settle it to go on.",
    "budget": "Its budget is used up. Grant more, or cancel it.",
    "halted": "A kill switch above it is engaged.",
    "stuck": "Undoing a step keeps failing. Retry it, or skip it with a reason.",
    "changed": "Its code changed while it waited. Restore or adopt it.",
    "quarantined": "It was set aside: it ended its worker three times. Release or cancel it.",
}


def chip(status: str) -> Chip:
    """How a state of an approval, run, step, vote, delivery or a risk is shown."""
    icon, tone = _CHIPS.get(status, ("dot", "calm"))
    said = status.replace("_", " ")
    word = f"{said} risk" if status in _RISKS else said
    return Chip(word=word[:1].upper() + word[1:], icon=icon, tone=tone)


def short_digest(digest: str | None) -> str:
    """The twelve characters of a digest that every channel shows."""
    return (digest or NOTHING).removeprefix("sha256:")[:12]


def pretty_json(value: object) -> str:
    """`value` as indented JSON in the order it came in, every invisible character written out."""
    return visible(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def facts(payload: Json | None) -> list[Fact]:
    """The fields of `payload` in its own order and under its own names, nothing left out."""
    return [_fact(label, value) for label, value in (payload or {}).items()]


def name(person: str | None, people: Mapping[str, str]) -> str:
    """What a person or a key is called; the id where nobody knows, so that nobody is hidden."""
    if person == "workflow":
        return "the workflow"
    said = person or NOTHING
    plain = said.removeprefix("person:")
    return people.get(said) or people.get(plain, plain)


def names(persons: Iterable[str], people: Mapping[str, str]) -> str:
    """Several people as a sentence says them: "Ana Diaz, Bo Chen and Cy"."""
    known = [name(person, people) for person in persons]
    return " and ".join([", ".join(known[:-1]), known[-1]] if len(known) > 1 else known)


def progress(approval: Json) -> list[Progress]:
    """A line for every group, or one for all approvers where there are no groups."""
    groups = approval["progress"].get("groups") or [{"name": "", **approval["progress"]["approve"]}]
    return [_progress(group) for group in groups]


def said(approval: Json, choice: str) -> list[str]:
    """The people whose counted answer is `choice`, in the order they gave it."""
    return [
        vote["person"] for vote in approval["votes"] if vote["counted"] and vote["choice"] == choice
    ]


def in_sandbox(approval: Json) -> bool:
    """Whether a run in a sandbox asks, so that nothing is done whatever is answered."""
    return is_marked(approval["title"])


def answer_of(approval: Json, person: Json | None) -> str | None:
    """What `person` answered to the present version; None while they did not."""
    answers = [
        vote["choice"]
        for vote in approval["votes"]
        if person is not None and vote["counted"] and vote["person"] == person["id"]
    ]
    return answers[-1] if answers else None


def may_be_picked(approval: Json, person: Json | None) -> bool:
    """Whether `person` may answer this together with others: nothing to read twice or to fill in."""
    can_still: Sequence[str] = approval["progress"]["can_still"]
    is_plain = approval["kind"] == "binary" and approval["comment"] == "optional"
    is_one = person is not None and person["id"] in can_still
    return approval["status"] == "open" and is_one and is_plain and approval["risk"] != "high"


def outcome(approval: Json, people: Mapping[str, str]) -> str:
    """How an approval ended, and by whom or by which rung, in one sentence."""
    decision = _part(approval, "decision")
    _, is_rung, rung = str(decision.get("rule", "")).partition("rung: ")
    by = names(decision.get("by", ()), people) or (f"the rung “{rung}”" if is_rung else "a rule")
    match approval["status"]:
        case "approved" | "rejected" as status:
            return f"{status.capitalize()}{made_of_it(approval)} by {by}."
        case "expired" if decision.get("outcome") == "continued":
            return "Time ran out: it went on with the default."
        case "expired":
            return (
                f"Time ran out: ended by {by}." if is_rung else "Expired: nobody decided in time."
            )
        case "changes_requested":
            return f"{by} asked for changes."
        case "cancelled":
            return "Cancelled: no decision is needed any more."
        case other:
            return f"{chip(other).word}."


def waiting(run: Json) -> str:
    """Why a run does not move, and what would make it; empty while it does."""
    if run.get("held_up"):
        return f"{run['held_up']} Start one, or adopt the run with another version."
    reason = _part(run, "waiting_for").get("reason")
    return _WAITS.get(reason, f"It waits: {reason}.") if reason else ""


def _part(whole: Json, key: str) -> Json:
    part: Json | None = whole.get(key)
    return {} if part is None else part


def _fact(label: str, value: object) -> Fact:
    is_word = value is None or isinstance(value, str | bool)
    text = text_of(value) if is_word else pretty_json(value)
    return Fact(label=label, text=text, is_block="\n" in text or len(text) > _LINE_CHARS_MAX)


def _progress(group: Json) -> Progress:
    have, need = int(group["have"]), int(group["need"])
    pips = [place < have for place in range(need)] if need <= _PIPS_MAX else []
    unit = "approval" if need == 1 else "approvals"
    text = f"{have} of {need} {unit}"
    return Progress(label=str(group["name"]), have=have, need=need, text=text, pips=pips)


ALL: Final[Mapping[str, Callable[..., object]]] = {
    made.__name__: made
    for made in (
        ago, amount, answer_of, asks, call_home, call_text, chip, countdown, decided, duration,
        facts, in_sandbox, may_be_picked, moment, name, names, outcome, payload, pretty_json,
        progress, proposals, said, short_digest, told, vote_changes, waiting,
    )
}  # fmt: skip
