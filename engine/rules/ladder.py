"""What happens to an approval as time passes: rungs, each at its time, the last one ends it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Final

from engine.rules.approvers import Approver, parse_approvers
from engine.rules.durations import LONGEST, parse_duration, say_duration
from engine.rules.json_objects import NotExact, read_object
from engine.rules.wording import BadRule, is_sequence, shown

RUNGS_MAX: Final = 20
RUNG_CHARS_MAX: Final = 4_000

_HOW: Final = (
    "Write 'remind', 'widen to group:x', 'escalate to group:x', 'reject', 'approve', 'rollback', "
    "'continue with {...}' or 'hold', then 'after' and a duration, as in 'reject after 4h'."
)


class Verb(StrEnum):
    """What a rung does."""

    REMIND = "remind"
    WIDEN = "widen"
    ESCALATE = "escalate"
    REJECT = "reject"
    APPROVE = "approve"
    ROLLBACK = "rollback"
    CONTINUE = "continue"
    HOLD = "hold"


CONSENTING: Final = frozenset({Verb.APPROVE, Verb.CONTINUE})
TERMINAL: Final = frozenset({Verb.REJECT, Verb.APPROVE, Verb.ROLLBACK, Verb.CONTINUE, Verb.HOLD})


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One thing that happens when an approval has been open for `after`.

    `to` is whom widening or escalating adds; `changes` is what a run that continues is given.
    """

    verb: Verb
    after: timedelta
    to: tuple[Approver, ...] = ()
    changes: Mapping[str, object] | None = None

    @property
    def is_terminal(self) -> bool:
        """Whether nothing comes after it."""
        return self.verb in TERMINAL

    @property
    def text(self) -> str:
        """The rung as it is written; parsing it gives an equal rung."""
        return f"{self.verb}{self._object()} after {say_duration(self.after)}"

    def _object(self) -> str:
        if self.to:
            return f" to {', '.join(str(approver) for approver in self.to)}"
        if self.changes is not None:
            return f" with {json.dumps(dict(self.changes), ensure_ascii=False, sort_keys=True)}"
        return ""


def parse_ladder(raw: object, *, risk: str) -> tuple[Rung, ...]:
    """The rungs in `raw`, a list of texts or the text of a single rung.

    Raises:
        BadRule: `bad_ladder`, if a rung is written wrongly, if they are not in the order of time,
            if there are more than 20, if not exactly the last one ends it and alone at the latest
            time, or if it approves by itself at a risk above low. `bad_duration` and
            `bad_approver` for those parts.
    """
    ladder = ladder_from_json(raw)
    for rung in ladder:
        if len(rung.text) > RUNG_CHARS_MAX:
            raise BadRule(
                "bad_ladder",
                f"{shown(rung.text)} is longer than {RUNG_CHARS_MAX} characters. Shorten it.",
            )
    if ladder[-1].verb is Verb.APPROVE and risk != "low":
        raise BadRule(
            "bad_ladder",
            f"{shown(ladder[-1].text)} is possible at low risk only; this is {shown(risk)}. End "
            "the ladder with reject, rollback, continue or hold.",
        )
    return ladder


def ladder_to_json(ladder: Sequence[Rung]) -> list[str]:
    """The texts of the rungs."""
    return [rung.text for rung in ladder]


def ladder_from_json(raw: object) -> tuple[Rung, ...]:
    """A ladder that was accepted before; like `parse_ladder`, but the risk is not asked again.

    Raises:
        BadRule: as `parse_ladder` does.
    """
    texts = [raw] if isinstance(raw, str) else raw
    if not is_sequence(texts):
        raise BadRule("bad_ladder", f"{shown(raw)} is not a ladder: a list of rungs. {_HOW}")
    if len(texts) > RUNGS_MAX:
        raise BadRule("bad_ladder", f"The ladder has {len(texts)} rungs; {RUNGS_MAX} are possible.")
    ladder = tuple(_rung(text) for text in texts)
    _refuse_disorder(ladder)
    return ladder


def due(opened_at: datetime, rung: Rung) -> datetime:
    """When `rung` fires in an approval opened at `opened_at`."""
    return opened_at + rung.after


def expires_at(opened_at: datetime, ladder: Sequence[Rung]) -> datetime | None:
    """When the ladder ends the approval, or None if its last rung holds it open for ever."""
    last = ladder[-1]
    return None if last.verb is Verb.HOLD else due(opened_at, last)


def extended(ladder: Sequence[Rung], by: timedelta, *, fired: int = 0) -> tuple[Rung, ...]:
    """The ladder with every rung later by `by`, except the first `fired`, which have happened.

    Raises:
        BadRule: `bad_duration`, if `by` is less than a second or holds a fraction of one, or if
            the ladder would then last longer than a year.
    """
    if by < timedelta(seconds=1) or by.microseconds:
        raise BadRule("bad_duration", "Extend by whole seconds, from 1 upwards.")
    if ladder[-1].after + by > LONGEST:
        raise BadRule("bad_duration", "It would stay open longer than a year. Extend by less.")
    return (
        *ladder[:fired],
        *(replace(rung, after=rung.after + by) for rung in ladder[fired:]),
    )


def _rung(written: object) -> Rung:
    if not isinstance(written, str):
        raise BadRule("bad_ladder", f"{shown(written)} is not a rung. {_HOW}")
    if written.strip().endswith("in business hours"):
        raise BadRule(
            "bad_ladder",
            f"{shown(written)}: rungs count by the clock. Leave 'in business hours' out and write "
            "the time that may pass in all, as in 'reject after 16h'.",
        )
    deed, after, time = written.rpartition(" after ")
    if not after:
        raise BadRule("bad_ladder", f"{shown(written)} does not say when. {_HOW}")
    word, _, rest = deed.strip().partition(" ")
    return _with_object(written, word, rest.strip(), parse_duration(time.strip()))


def _with_object(written: str, word: str, rest: str, after: timedelta) -> Rung:
    joint, _, what = rest.partition(" ")
    match word, joint:
        case ((Verb.WIDEN | Verb.ESCALATE), "to"):
            return Rung(verb=Verb(word), after=after, to=parse_approvers(what))
        case Verb.CONTINUE, "with":
            return Rung(verb=Verb.CONTINUE, after=after, changes=_changes(what))
        case ((Verb.REMIND | Verb.REJECT | Verb.APPROVE | Verb.ROLLBACK | Verb.HOLD), ""):
            return Rung(verb=Verb(word), after=after)
        case _:
            raise BadRule("bad_ladder", f"{shown(written)} is not a rung. {_HOW}")


def _changes(text: str) -> dict[str, object]:
    try:
        return read_object(text)
    except NotExact as reason:
        raise BadRule(
            "bad_ladder",
            f"{shown(text)} cannot be continued with: {reason}. Write a JSON object, as in "
            """'continue with {"amount": "100.00"} after 2h'.""",
        ) from None


def _refuse_disorder(ladder: Sequence[Rung]) -> None:
    if not ladder or not ladder[-1].is_terminal:
        raise BadRule(
            "bad_ladder",
            "The ladder never ends. Let its last rung say what happens when nobody answers, "
            "as in 'reject after 4h', 'rollback after 4h' or 'hold after 4h'.",
        )
    for rung, following in pairwise(ladder):
        if rung.is_terminal:
            raise BadRule(
                "bad_ladder",
                f"Nothing can follow {shown(rung.text)}, which ends the approval. "
                f"Take out {shown(following.text)}, or put it before.",
            )
        if following.after < rung.after or (
            following.is_terminal and following.after == rung.after
        ):
            raise BadRule(
                "bad_ladder",
                f"{shown(following.text)} must come later than {shown(rung.text)}. "
                "Durations count from the opening of the approval.",
            )
